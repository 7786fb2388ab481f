"""Files of Flax and ours: msgpack of `flax.serialization`, npz, and Orbax checkpoints.

Names are paths joined by '/', without the collection ('params', 'batch_stats') that begins them.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from etils import epath
from flax import serialization, traverse_util

from tlda.errors import UserError

_COLLECTIONS = ('params', 'batch_stats')
# Weights hardly shrink when they are compressed: what grows more than so is no weights.
_MOST_GROWTH = 100


def read_msgpack(path: Path) -> dict[str, np.ndarray]:
  """Reads what `flax.serialization.to_bytes` wrote: maps, numbers and arrays, nothing executable.

  Args:
    path: The file.

  Returns:
    Arrays by name.

  Raises:
    UserError: It is truncated or broken, or holds no arrays by name.
  """
  try:
    tree = serialization.msgpack_restore(path.read_bytes())
  except Exception as error:  # Broken bytes raise many kinds in msgpack and NumPy.
    raise UserError(f'is a broken or truncated msgpack file ({str(error)[:100]})') from error
  return _named(tree)


def read_npz(path: Path) -> dict[str, np.ndarray]:
  """Reads an npz file of plain arrays; pickled objects are refused.

  Args:
    path: The file.

  Returns:
    Arrays by name.

  Raises:
    UserError: It is truncated or broken, holds Python objects, or grows when it is read.
  """
  try:
    with zipfile.ZipFile(path) as archive:
      infos = archive.infolist()
      if sum(info.file_size for info in infos) > _MOST_GROWTH * path.stat().st_size:
        raise UserError(f'grows to more than {_MOST_GROWTH} times its size: refused')
      return {info.filename.removesuffix('.npy'): _npy(archive.read(info)) for info in infos}
  except UserError:
    raise
  except Exception as error:  # Broken bytes raise many kinds in zipfile, zlib and NumPy.
    raise UserError(f'is not a readable npz file of plain arrays ({str(error)[:100]})') from error


def read_checkpoint(folder: Path) -> dict[str, np.ndarray]:
  """Reads an Orbax checkpoint.

  Args:
    folder: A tree that Orbax saved, a step's folder with such a tree in it, or the folder of a run
      of ours: the step that its `--select` chose, else its newest checkpoint; first seed.

  Returns:
    Arrays by name.

  Raises:
    UserError: There is none, or it is broken.
  """
  tree = _restore(_tree_folder(folder))
  if 'seed' in tree and all(isinstance(value, np.ndarray) for value in tree.values()):
    # A run's arrays have flat names, and a leading dimension of seeds.
    first = {name.removeprefix('states.'): value[0] for name, value in tree.items() if value.ndim}
    tree = traverse_util.unflatten_dict(first, sep='.')
  return _named(tree)


def _npy(content: bytes) -> np.ndarray:
  """Reads an array whose bytes are there: what a header promises is not allocated."""
  stream = io.BytesIO(content)
  version = np.lib.format.read_magic(stream)
  read = np.lib.format.read_array_header_1_0
  if version != (1, 0):
    read = np.lib.format.read_array_header_2_0
  shape, in_columns, dtype = read(stream)
  if dtype.hasobject:
    raise ValueError('it holds Python objects')
  numbers = np.frombuffer(content, dtype, offset=stream.tell())
  return numbers.reshape(shape, order='F' if in_columns else 'C')


def _tree_folder(folder: Path) -> Path:
  for kept in ('selected', 'checkpoints'):
    steps = [path for path in folder.glob(f'{kept}/*') if path.name.isdigit()]
    if steps:
      folder = max(steps, key=lambda path: int(path.name))
      break
  for inner in (folder, folder / 'state', folder / 'default'):
    if (inner / '_METADATA').exists():
      return inner.absolute()
  raise UserError('is a folder without an Orbax checkpoint')


def _restore(folder: Path) -> Any:
  """Reads as host arrays, whatever devices they were saved from."""
  try:
    handler = ocp.PyTreeCheckpointHandler()
    form = handler.metadata(epath.Path(folder)).tree
    as_arrays = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), form)
    wanted = ocp.args.PyTreeRestore(restore_args=as_arrays)
    return handler.restore(epath.Path(folder), args=wanted)
  except Exception as error:  # Whatever Orbax and tensorstore raise.
    raise UserError(f'is a broken Orbax checkpoint ({str(error)[:100]})') from error


def _named(tree: Any) -> dict[str, np.ndarray]:
  if isinstance(tree, Mapping) and isinstance(tree.get('params'), Mapping):
    trees = [tree[collection] for collection in _COLLECTIONS if collection in tree]
  else:
    trees = [tree]
  arrays = {}
  for path, array in (leaf for each in trees for leaf in _leaves(each)):
    if path in arrays:
      raise UserError(f'has two arrays of the name {path[:200]!r}')
    arrays[path] = array
  if not arrays:
    raise UserError('holds no arrays by name')
  return arrays


def _leaves(tree: Any) -> Iterator[tuple[str, np.ndarray]]:
  """Yields the arrays of nested dicts, however deep."""
  waiting = [('', tree)]
  while waiting:
    path, value = waiting.pop()
    if isinstance(value, Mapping):
      inner = [(f'{path}/{key}' if path else str(key), value[key]) for key in value]
      waiting.extend(reversed(inner))
    elif isinstance(value, np.ndarray | jax.Array) and path:
      yield path, np.asarray(value)
