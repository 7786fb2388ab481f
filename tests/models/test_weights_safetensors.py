"""Safetensors are read bit for bit, and broken ones are one sentence."""

import json
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from tlda.errors import UserError
from tlda.models.weights import safetensors

# The values 0, 1, 2 as each type stores them, written down by hand.
BYTES = {
  'F64': bytes(14) + b'\xf0\x3f' + bytes(7) + b'\x40',
  'F32': bytes(6) + b'\x80\x3f' + bytes(3) + b'\x40',
  'F16': bytes(3) + b'\x3c\x00\x40',
  'BF16': b'\x00\x00\x80\x3f\x00\x40',
  'I64': bytes(8) + b'\1' + bytes(7) + b'\2' + bytes(7),
  'I32': bytes(4) + b'\1' + bytes(3) + b'\2' + bytes(3),
  'I8': b'\0\1\2',
  'U8': b'\0\1\2',
  'BOOL': b'\0\1\1',
}
DTYPES = {
  'F64': 'float64',
  'F32': 'float32',
  'F16': 'float16',
  'BF16': 'bfloat16',
  'I64': 'int64',
  'I32': 'int32',
  'I8': 'int8',
  'U8': 'uint8',
  'BOOL': 'bool',
}


def entry(start: int, stop: int, shape: list[Any], dtype: Any = 'U8') -> dict[str, Any]:
  return {'dtype': dtype, 'shape': shape, 'data_offsets': [start, stop]}


def made(header: Any, data: bytes = b'') -> bytes:
  text = header if isinstance(header, bytes) else json.dumps(header).encode()
  return len(text).to_bytes(8, 'little') + text + data


def read(folder: Path, content: bytes) -> dict[str, np.ndarray]:
  path = folder / 'made.safetensors'
  path.write_bytes(content)
  return safetensors.read(path)


@pytest.mark.parametrize('dtype', BYTES)
def test_every_dtype(tmp_path: Path, dtype: str) -> None:
  data = BYTES[dtype]
  header = {'__metadata__': {'format': 'pt'}, 'a': entry(0, len(data), [1, 3], dtype)}
  array = read(tmp_path, made(header, data))['a']
  assert array.dtype.name == DTYPES[dtype]
  np.testing.assert_array_equal(array.astype(np.float64), [[0, 1, 1 if dtype == 'BOOL' else 2]])
  assert array.tobytes() == data


def test_several_tensors_in_any_order(tmp_path: Path) -> None:
  header = {'b': entry(2, 6, [2, 2]), 'empty': entry(2, 2, [0, 3]), 'a': entry(0, 2, [2])}
  found = read(tmp_path, made(header, b'\1\2\3\4\5\6'))
  np.testing.assert_array_equal(found['a'], [1, 2])
  np.testing.assert_array_equal(found['b'], [[3, 4], [5, 6]])
  assert found['empty'].shape == (0, 3)


@pytest.mark.parametrize(
  ('content', 'sentence'),
  [
    (b'', 'its header is not there in full'),
    (b'\1\2\3', 'its header is not there in full'),
    ((2**63).to_bytes(8, 'little') + b'{}', 'its header is not there in full'),
    (made(b'{"a"'), 'broken header'),
    (made(b'[]'), 'broken header'),
    (made(b'{"a": ' * 10**5), 'broken header'),
    (made(b'{"a": ' + b'9' * 5000 + b'}'), 'broken header'),
    (made(b'\xff{}'), 'broken header'),
    (made({'a': 1}), 'broken header'),
    (made({'a': {'dtype': 'U8', 'shape': [1]}}), 'data_offsets'),
    (made({'a': entry(0, 1, [1], 3)}, b'1'), 'broken header'),
    (made({'a': entry(0, 1, [True])}, b'1'), 'broken header'),
    (made({'a': entry(0, 1, [1.0])}, b'1'), 'broken header'),
    (made({'a': entry(0, 1, [-1])}, b'1'), 'broken header'),
    (made({'a': entry(-1, 1, [2])}, b'1'), 'broken header'),
    (made({'a': entry(0, 2**60, [2**60])}, b'1'), 'broken header'),
    (made({'a': entry(0, 1, [1], 'F4')}, b'1'), r"'a' as 'F4': only F64, F32"),
    (made({'a': entry(0, 2**40, [2**40])}, b'1'), 'truncated'),
    (made({'a': entry(0, 1, [2])}, b'1'), 'another number of bytes'),
    (made({'a': entry(0, 4, [4], 'F32')}, b'1234'), 'another number of bytes'),
    (made({'a': entry(0, 1, [1] * 80)}, b'1'), 'broken header'),
    (made({'a': entry(0, 1, {})}, b'1'), 'broken header'),
    (made({'a': entry(0, 1, '')}, b'1'), 'broken header'),
    (made({'a': entry(0, 2, [2]), 'b': entry(1, 3, [2])}, b'123'), 'overlap'),
    (made({'a': entry(0, 1, [1]), 'b': entry(2, 3, [1])}, b'123'), 'leave holes'),
    (made({'a': entry(2, 1, [1])}, b'12'), 'overlap'),
    (made({'a': entry(0, 1, [1])}, b'12'), 'truncated or broken'),
    (made(b'{"a": 1, "a": 2}'), 'a name stands there twice'),
  ],
)
def test_a_broken_file_is_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
  with pytest.raises(UserError, match=sentence) as caught:
    read(tmp_path, content)
  assert len(str(caught.value)) < 300


def test_what_is_written_is_read(tmp_path: Path) -> None:
  arrays = {
    'a/b': np.arange(6, dtype=np.float32).reshape(2, 3),
    'columns': np.asfortranarray(np.arange(6, dtype=np.int64).reshape(2, 3)),
    'half': np.array([1.5], jnp.bfloat16),
    'scalar': np.float32(2.5)[()].reshape(()),
  }
  safetensors.write(tmp_path / 'x.safetensors', arrays)
  found = safetensors.read(tmp_path / 'x.safetensors')
  assert list(found) == list(arrays)
  for name, array in arrays.items():
    np.testing.assert_array_equal(found[name], array, strict=True)
  content = (tmp_path / 'x.safetensors').read_bytes()
  assert int.from_bytes(content[:8], 'little') % 8 == 0
  assert content[8:9] == b'{'
