"""The safetensors format: a JSON header that says where each tensor's bytes lie, then the bytes."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from tlda.errors import UserError
from tlda.models.weights.records import MOST_DIMENSIONS

_DTYPES = {
  'F64': np.float64,
  'F32': np.float32,
  'F16': np.float16,
  'BF16': jnp.bfloat16,
  'I64': np.int64,
  'I32': np.int32,
  'I8': np.int8,
  'U8': np.uint8,
  'BOOL': np.bool_,
}
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}


def read(path: Path) -> dict[str, np.ndarray]:
  """Reads a safetensors file.

  Args:
    path: The file.

  Returns:
    Read-only arrays by name, of the dtypes that the file has.

  Raises:
    UserError: It is truncated or broken, or has a dtype that is not read.
  """
  content = path.read_bytes()
  start = 8 + int.from_bytes(content[:8], 'little')
  if len(content) < 8 or start > len(content):
    raise UserError('is truncated: its header is not there in full')
  header = _header(content[8:start])
  data = memoryview(content)[start:]
  _check_places([entry['data_offsets'] for entry in header.values()], len(data))
  return {name: _array(name, entry, data) for name, entry in header.items()}


def write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
  """Writes arrays of the dtypes that `read` knows; another dtype raises KeyError."""
  header, place = {}, 0
  for name, array in arrays.items():
    places = [place, place + array.nbytes]
    header[name] = {
      'dtype': _NAMES[array.dtype],
      'shape': list(array.shape),
      'data_offsets': places,
    }
    place = places[1]
  text = json.dumps(header).encode()
  text += b' ' * (-len(text) % 8)  # The numbers are aligned.
  with path.open('wb') as file:
    file.write(len(text).to_bytes(8, 'little') + text)
    for array in arrays.values():
      file.write(np.ascontiguousarray(array).tobytes())


def _header(text: bytes) -> dict[str, dict[str, Any]]:
  try:
    header = json.loads(text, object_pairs_hook=_once)
    header.pop('__metadata__', None)
    for entry in header.values():
      shape, places = entry['shape'], entry['data_offsets']
      sound = isinstance(entry['dtype'], str) and type(shape) is type(places) is list
      sound = sound and len(places) == 2 and len(shape) <= MOST_DIMENSIONS
      numbers = [*shape, *places]
      if not sound or not all(type(number) is int and 0 <= number < 2**48 for number in numbers):
        raise ValueError('an entry that is none')
  except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
    raise UserError(f'has a broken header ({str(error)[:100]})') from error
  return header


def _once(items: list[tuple[str, Any]]) -> dict[str, Any]:
  entries = dict(items)
  if len(entries) < len(items):
    raise ValueError('a name stands there twice')
  return entries


def _check_places(places: list[list[int]], size: int) -> None:
  """Tensors lie one after another: no overlap, no hole, nothing left over."""
  end = 0
  for start, stop in sorted(places):
    if start != end or stop < start:
      raise UserError('is broken: its tensors overlap, or leave holes')
    end = stop
  if end != size:
    raise UserError(f'is truncated or broken: its tensors have {end} bytes, and {size} are there')


def _array(name: str, entry: dict[str, Any], data: memoryview) -> np.ndarray:
  if entry['dtype'] not in _DTYPES:
    known = ', '.join(_DTYPES)
    raise UserError(f'has {name[:200]!r} as {entry["dtype"][:50]!r}: only {known} are read')
  dtype, shape = np.dtype(_DTYPES[entry['dtype']]), entry['shape']
  start, stop = entry['data_offsets']
  try:
    if math.prod(shape) * dtype.itemsize != stop - start:
      raise ValueError('another number of bytes than its shape has')
    return np.frombuffer(data[start:stop], dtype).reshape(shape)
  except ValueError as error:  # More dimensions than NumPy has, too.
    raise UserError(f'is broken: {name[:200]!r} has {error}') from error
