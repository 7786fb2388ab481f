"""PyTorch's files are read bit for bit, and broken ones are one sentence."""

import struct
import zipfile
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from tests.models import torch_bytes as tb
from tlda.errors import UserError
from tlda.models.weights import pickles

# Written by PyTorch: scripts/reference_pickles.py says what is in them.
FIXTURES = [Path(__file__).parent / 'data' / f'torch_{name}.pth' for name in ('zip', 'legacy')]
BASE = np.arange(48, dtype=np.float32).reshape(6, 8) / 4
HALVES = np.arange(54, dtype=np.float32).reshape(2, 3, 3, 3) / 2
DTYPES = ('float64', 'float16', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool')
WANTED = {
  'base': BASE,
  'transposed': BASE.T,
  'strided': BASE[1:5:2, 2:7:3],
  'tail': BASE[4:],
  'scalar': np.array(3.5, np.float32),
  'empty': np.zeros((0, 4), np.float32),
  'expanded': np.array([[1.5, 2.5]] * 3, np.float32),
  'parameter': np.array([[0, 0.5], [1, 1.5], [2, 2.5]], np.float32),
  'channels_last': HALVES,
  **{dtype: np.array([0, 1, 2]).astype(dtype) for dtype in DTYPES},
  'bfloat16': np.array([0, 1, 2], jnp.bfloat16),
}
FOUR = struct.pack('<4f', 1, 2, 3, 4)

each_fixture = pytest.mark.parametrize('path', FIXTURES, ids=lambda path: path.stem)


def read(folder: Path, content: bytes) -> dict[str, np.ndarray]:
  path = folder / 'made.pth'
  path.write_bytes(content)
  return pickles.read(path)


def both(tensors: dict[str, bytes]) -> list[bytes]:
  """The same tensors of one storage of four numbers, in both kinds of file."""
  content = tb.pickled(tb.mapping(tensors))
  return [tb.archive(content, {'0': FOUR}), tb.legacy(content, {'0': (4, FOUR)})]


def view(offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> bytes:
  return tb.tensor(tb.storage('0', 4), offset, tb.numbers(*shape), tb.numbers(*strides))


@each_fixture
def test_files_of_pytorch_are_read_bit_for_bit(path: Path) -> None:
  found = pickles.read(path)
  assert list(found) == [
    *('base', 'transposed', 'strided', 'tail', 'scalar', 'empty', 'expanded', 'parameter'),
    *('channels_last', 'float64', 'float16', 'bfloat16', *DTYPES[2:]),
  ]
  for name, array in found.items():
    assert (array.shape, array.dtype) == (WANTED[name].shape, WANTED[name].dtype), name
    assert array.tobytes() == WANTED[name].tobytes(), name


@pytest.mark.parametrize('from_stack', [False, True])
def test_files_composed_by_hand(tmp_path: Path, from_stack: bool) -> None:
  tensors = {'a': view(1, (3,), (1,)), 'b': view(0, (2, 2), (1, 2)), 'c': view(3, (1, 1), (9, 9))}
  content = tb.pickled(tb.mapping(tensors | {'n': tb.number(7)}))
  if from_stack:  # As protocol 4 names a function.
    name = tb.named('torch._utils', '_rebuild_tensor_v2')
    assert name in content
    content = content.replace(
      name, tb.text('torch._utils') + tb.text('_rebuild_tensor_v2') + b'\x93'
    )
  for file in (tb.archive(content, {'0': FOUR}), tb.legacy(content, {'0': (4, FOUR)})):
    found = read(tmp_path, file)
    assert sorted(found) == ['a', 'b', 'c']
    np.testing.assert_array_equal(found['a'], [2, 3, 4])
    np.testing.assert_array_equal(found['b'], [[1, 3], [2, 4]])
    np.testing.assert_array_equal(found['c'], [[4]])


def test_a_part_of_a_storage_of_the_oldest_files(tmp_path: Path) -> None:
  part = tb.row(tb.text('1'), tb.number(2), tb.number(2))
  content = tb.mapping({'a': tb.tensor(tb.storage('0', 4, 'Float', part), 1, *[tb.numbers(1)] * 2)})
  found = read(tmp_path, tb.legacy(tb.pickled(content), {'0': (4, FOUR)}))
  np.testing.assert_array_equal(found['a'], [4])
  part = tb.row(tb.text('1'), tb.number(2), tb.number(3))
  content = tb.mapping({'a': tb.tensor(tb.storage('0', 4, 'Float', part), 0, *[tb.numbers(1)] * 2)})
  with pytest.raises(UserError, match='beyond its storage'):
    read(tmp_path, tb.legacy(tb.pickled(content), {'0': (4, FOUR)}))


@pytest.mark.parametrize(
  ('offset', 'shape', 'strides', 'sentence'),
  [
    (0, (5,), (1,), 'reaches beyond'),
    (4, (1,), (1,), 'reaches beyond'),
    (1, (2, 2), (2, 1), 'reaches beyond'),
    (0, (2,), (2**47,), 'reaches beyond'),
    (2**47, (), (), 'reaches beyond'),
    (-1, (1,), (1,), 'a size or an offset that is none'),
    (3, (4,), (-1,), 'a size or an offset that is none'),
    (0, (-1,), (1,), 'a size or an offset that is none'),
    (0, (2**64,), (0,), 'a size or an offset that is none'),
    (0, (2**40,), (0,), 'more numbers than it has bytes'),
    (0, (2**47,) * 9, (0,) * 9, 'more numbers than it has bytes'),
    (0, (2**47, 2**47, 0), (1, 1, 1), 'no shape that an array can have'),
    (0, (1,) * 80, (1,) * 80, 'no shape that an array can have'),
    (0, (2, 2), (1,), 'more strides than dimensions, or fewer'),
  ],
)
def test_no_view_reaches_beyond_its_storage(
  tmp_path: Path, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], sentence: str
) -> None:
  for content in both({'fine': view(0, (4,), (1,)), 'evil': view(offset, shape, strides)}):
    with pytest.raises(UserError, match=sentence):
      read(tmp_path, content)


@each_fixture
def test_a_truncated_file_is_one_sentence(path: Path, tmp_path: Path) -> None:
  whole = path.read_bytes()
  for size in {*range(0, len(whole), 61), len(whole) - 1}:
    with pytest.raises(UserError) as caught:
      read(tmp_path, whole[:size])
    assert '\n' not in str(caught.value)


@each_fixture
def test_a_damaged_file_is_read_or_one_sentence(path: Path, tmp_path: Path) -> None:
  rng, whole, refused = np.random.default_rng(0), path.read_bytes(), 0
  for _ in range(400):
    content = bytearray(whole)
    content[rng.integers(len(content))] = rng.integers(256)
    try:
      read(tmp_path, bytes(content))
    except UserError as error:
      refused += 1
      assert len(str(error)) < 500
  assert refused > 100


@pytest.mark.parametrize(
  ('content', 'sentence'),
  [
    (b'', 'broken or truncated pickle'),
    (b'no weights', 'broken or truncated pickle'),
    (tb.pickled(tb.number(5)), 'not one of PyTorch'),
    (tb.pickled(tb.number(tb.MAGIC)) + tb.pickled(tb.number(1)), 'unknown PyTorch protocol'),
    (tb.legacy(tb.pickled(b'}'), little=False), 'big-endian'),
    (tb.archive(tb.pickled(b'}'), order=b'big'), 'big-endian'),
    (tb.legacy(tb.pickled(b']')), 'holds a list, not tensors by name'),
    (tb.legacy(tb.pickled(tb.mapping({'lr': tb.number(1)}))), r'no tensors by name .*: lr\)'),
    (tb.legacy(tb.pickled(b'}'), {'0': (4, FOUR)}), 'other storages than its tensors name'),
    (tb.archive(tb.pickled(b'}'), compression=zipfile.ZIP_DEFLATED), 'compressed'),
    (tb.archive(tb.pickled(b'}')).replace(b'data.pkl', b'code.pkl'), 'no data.pkl'),
    (tb.legacy(tb.pickled(b'}' + b'(' + b')\x85' * 10**5 + b'Nu')), 'a key that is no string'),
  ],
)
def test_what_is_no_weight_file_is_one_sentence(
  tmp_path: Path, content: bytes, sentence: str
) -> None:
  with pytest.raises(UserError, match=sentence):
    read(tmp_path, content)


def test_a_storage_is_as_large_as_it_says(tmp_path: Path) -> None:
  content = tb.pickled(tb.mapping({'a': view(0, (4,), (1,))}))
  for made, sentence in [
    (tb.archive(content, {'0': FOUR[:-1]}), 'fewer bytes than it says'),
    (tb.archive(content, {'1': FOUR}), 'no item named'),
    (tb.legacy(content, {'0': (3, FOUR)}), 'another size than it says'),
    (tb.legacy(content, {'0': (4, FOUR[:-1])}), 'truncated'),
    (tb.legacy(content, {'0': (-1, FOUR)}), 'another size than it says'),
  ]:
    with pytest.raises(UserError, match=sentence):
      read(tmp_path, made)


def test_an_archive_does_not_grow(tmp_path: Path) -> None:
  content = bytearray(tb.archive(tb.pickled(b'}'), {'0': FOUR}))
  place = content.index(b'PK\1\2')
  content[place + 20 : place + 28] = struct.pack('<II', 2**31, 2**31)
  with pytest.raises(UserError, match='larger than the file'):
    read(tmp_path, bytes(content))


def test_two_types_of_one_storage_are_refused(tmp_path: Path) -> None:
  other = tb.tensor(tb.storage('0', 4, 'Int'), 0, tb.numbers(4), tb.numbers(1))
  for content in both({'a': view(0, (4,), (1,)), 'b': other}):
    with pytest.raises(UserError, match='two types or sizes'):
      read(tmp_path, content)


def test_a_wrapper_that_holds_itself_ends(tmp_path: Path) -> None:
  body = b'}q\x00(' + tb.text('state_dict') + b'h\x00u'
  with pytest.raises(UserError, match='no tensors by name'):
    read(tmp_path, tb.legacy(tb.pickled(body)))


def test_arrays_cannot_be_written_to(tmp_path: Path) -> None:
  for content in both({'a': view(0, (4,), (1,))}):
    assert not read(tmp_path, content)['a'].flags.writeable
