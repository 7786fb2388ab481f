"""PyTorch's files, `.pth` and `.pt`: the zip archives of today, and the pickles before 2020.

An archive has `NAME/data.pkl`, which names tensors, and their numbers as `NAME/data/KEY`, stored
and not compressed. An older file is a row of pickles (a magic number, a protocol, the machine, what
was saved, the keys of the storages), then each storage's size (int64) and its numbers.
"""

import io
import math
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tlda.errors import UserError
from tlda.models.weights import unpickler
from tlda.models.weights.records import Storage, Tensor

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
# What training scripts keep a model's tensors under, beside optimizers and the like.
_WRAPPERS = ('state_dict', 'model', 'model_state_dict')

Buffers = Mapping[str, bytes | memoryview]


def read(path: Path) -> dict[str, np.ndarray]:
  """Reads the tensors of a PyTorch file; nothing in it is executed.

  Args:
    path: The file.

  Returns:
    Read-only arrays by name, of the dtypes that the file has; of a training checkpoint those under
    `state_dict` or `model`. The `module.` that DataParallel puts before all names is dropped.

  Raises:
    UserError: The file would run something (named), is truncated or broken, or holds no tensors by
      name.
  """
  with path.open('rb') as file:
    is_archive = file.read(4) == b'PK\3\4'
  tree, buffers = _read_archive(path) if is_archive else _read_legacy(path.read_bytes())
  tensors = _named(tree)
  # Views may share numbers, or repeat them: no more of them are read than the file has bytes.
  if sum(math.prod(tensor.shape) for tensor in tensors.values()) > path.stat().st_size:
    raise UserError('says that its tensors have more numbers than it has bytes')
  return {name: _array(name, tensor, buffers) for name, tensor in tensors.items()}


def _read_archive(path: Path) -> tuple[Any, Buffers]:
  try:
    with zipfile.ZipFile(path) as archive:
      folder = _folder(archive.namelist())
      stored = [info for info in archive.infolist() if info.compress_type == zipfile.ZIP_STORED]
      if sum(info.file_size for info in stored) > path.stat().st_size:
        raise UserError('says that its records are larger than the file: refused')
      if f'{folder}byteorder' in archive.namelist():
        _check_order(_record(archive, f'{folder}byteorder') == b'little')
      tree, storages = unpickler.read(io.BytesIO(_record(archive, f'{folder}data.pkl')))
      return tree, {key: _record(archive, f'{folder}data/{key}') for key in storages}
  except KeyError as error:
    raise UserError(f'is broken: {str(error.args[0])[:200]}') from error
  except (zipfile.BadZipFile, RuntimeError, OSError, EOFError, ValueError, struct.error) as error:
    raise UserError(f'is a broken or truncated archive ({error})') from error


def _folder(names: list[str]) -> str:
  """Returns the folder of data.pkl, which is the only one that PyTorch makes."""
  found = [name for name in names if name.split('/')[1:] == ['data.pkl']]
  if len(found) != 1:
    raise UserError('is a zip archive, and not one of PyTorch: it has no data.pkl, or several')
  return found[0].removesuffix('data.pkl')


def _record(archive: zipfile.ZipFile, name: str) -> bytes:
  """Reads a record that cannot be larger than the file is."""
  if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
    raise UserError(f'has {name[:200]!r} compressed, as PyTorch never writes it: refused')
  return archive.read(name)


def _check_order(is_little: bool) -> None:
  if not is_little:
    raise UserError('was written on a big-endian machine, whose numbers are not read')


def _read_legacy(content: bytes) -> tuple[Any, Buffers]:
  stream = io.BytesIO(content)
  # Each pickle is looked at before the next is read.
  if unpickler.read(stream)[0] != _MAGIC:
    raise UserError('is a pickle, and not one of PyTorch')
  if unpickler.read(stream)[0] != _PROTOCOL:
    raise UserError('has an unknown PyTorch protocol')
  machine = unpickler.read(stream)[0]
  _check_order(isinstance(machine, dict) and machine.get('little_endian') is True)
  tree, storages = unpickler.read(stream)
  keys = unpickler.read(stream)[0]
  listed = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
  if not listed or sorted(keys) != sorted(storages):
    raise UserError('has other storages than its tensors name')
  return tree, _storages(memoryview(content), stream.tell(), [storages[key] for key in keys])


def _storages(content: memoryview, start: int, storages: list[Storage]) -> Buffers:
  """Finds each storage's numbers, one after another from `start` on."""
  buffers = {}
  for storage in storages:
    head = content[start : start + 8]
    stop = start + 8 + storage.size * storage.dtype.itemsize
    if len(head) < 8 or stop > len(content):
      raise UserError(f'is truncated: storage {storage.key[:50]!r} is not there in full')
    if int.from_bytes(head, 'little', signed=True) != storage.size:
      raise UserError(f'is broken: storage {storage.key[:50]!r} has another size than it says')
    buffers[storage.key] = content[start + 8 : stop]
    start = stop
  return buffers


def _named(tree: Any) -> dict[str, Tensor]:
  """Returns the tensors of a state dict, or of the one that a wrapper holds."""
  for _ in _WRAPPERS:
    inner = tree if isinstance(tree, dict) else {}
    tree = next((inner[key] for key in _WRAPPERS if isinstance(inner.get(key), dict)), tree)
  if not isinstance(tree, dict):
    raise UserError(f'holds a {type(tree).__name__}, not tensors by name')
  tensors = {name: value for name, value in tree.items() if isinstance(value, Tensor)}
  if not tensors or not all(isinstance(name, str) for name in tensors):
    found = ', '.join(key[:50] for key in list(tree)[:5] if isinstance(key, str)) or 'nothing'
    raise UserError(f'holds no tensors by name (at its top: {found})')
  if all(name.startswith('module.') for name in tensors):
    tensors = {name.removeprefix('module.'): value for name, value in tensors.items()}
  return tensors


def _array(name: str, tensor: Tensor, buffers: Buffers) -> np.ndarray:
  """Returns a tensor's numbers, after its shape and strides were held against its storage."""
  storage, buffer = tensor.storage, buffers[tensor.storage.key]
  # The strides of dimensions that are not walked mean nothing.
  strides = [
    stride if size > 1 else 0 for size, stride in zip(tensor.shape, tensor.strides, strict=True)
  ]
  walked = sum((size - 1) * stride for size, stride in zip(tensor.shape, strides, strict=True))
  if len(buffer) < storage.size * storage.dtype.itemsize:
    raise UserError(f'is truncated: {name[:200]!r} has fewer bytes than it says')
  try:
    if 0 in tensor.shape:
      return np.zeros(tensor.shape, storage.dtype)
    if tensor.offset + walked >= storage.size:
      raise UserError(f'is broken: {name[:200]!r} reaches beyond its storage')
    numbers = np.frombuffer(buffer, storage.dtype, storage.size)[tensor.offset :]
    steps = [stride * storage.dtype.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(numbers, tensor.shape, steps, writeable=False)
  except ValueError as error:  # More dimensions than NumPy has, or more numbers.
    raise UserError(f'is broken: {name[:200]!r} has no shape that an array can have') from error
