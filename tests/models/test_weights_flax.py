"""Flax's msgpack, npz and Orbax checkpoints are read by path, without the collection."""

import io
import shutil
import zipfile
from pathlib import Path

import msgpack
import numpy as np
import orbax.checkpoint as ocp
import pytest
from flax import serialization

from tests.models.test_weights_attacks import Evil
from tlda.errors import UserError
from tlda.models.weights import flax_files
from tlda.training.checkpoint import Checkpoints

KERNEL = np.arange(6, dtype=np.float32).reshape(2, 3)
STATS = np.array([1.5, 2.5], np.float32)
TREE = {
  'params': {'dense': {'kernel': KERNEL}, 'bn': {'scale': STATS}},
  'batch_stats': {'bn': {'mean': STATS + 1}},
}
NAMED = {'dense/kernel': KERNEL, 'bn/scale': STATS, 'bn/mean': STATS + 1}


def check(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray] = NAMED) -> None:
  assert set(found) == set(wanted)
  for name, array in wanted.items():
    np.testing.assert_array_equal(found[name], array, strict=True)


def test_msgpack(tmp_path: Path) -> None:
  path = tmp_path / 'x.msgpack'
  path.write_bytes(serialization.to_bytes(TREE | {'step': 3, 'opt_state': {'0': STATS}}))
  check(flax_files.read_msgpack(path))
  path.write_bytes(serialization.to_bytes(TREE['params']))
  check(flax_files.read_msgpack(path), {'dense/kernel': KERNEL, 'bn/scale': STATS})


@pytest.mark.parametrize(
  'content',
  [
    b'',
    b'\xc1',
    serialization.to_bytes(TREE)[:-3],
    msgpack.packb(7),
    msgpack.packb({'a': [1, 2]}),
    msgpack.packb({'params': {'a': {'b': KERNEL.tobytes()}}, 'batch_stats': {'a': {'b': 1}}}),
    # An array of objects, of more numbers than there are, and of no dtype.
    msgpack.packb({'a': msgpack.ExtType(1, msgpack.packb(((1,), 'O', bytes(8))))}),
    msgpack.packb({'a': msgpack.ExtType(1, msgpack.packb(((2**40,), 'float32', bytes(8))))}),
    msgpack.packb({'a': msgpack.ExtType(1, msgpack.packb(((1,), 'os.system', bytes(8))))}),
    b'\x81\xa1a' * 5000 + b'\xc0',
    b'\xdf\xff\xff\xff\xff',
  ],
)
def test_broken_msgpack_is_one_sentence(tmp_path: Path, content: bytes) -> None:
  path = tmp_path / 'x.msgpack'
  path.write_bytes(content)
  with pytest.raises(UserError, match=r'broken or truncated msgpack|no arrays by name'):
    flax_files.read_msgpack(path)


def test_npz(tmp_path: Path) -> None:
  path = tmp_path / 'x.npz'
  for save in (np.savez, np.savez_compressed):
    save(path, **NAMED, columns=np.asfortranarray(KERNEL), scalar=np.float64(2))
    check(flax_files.read_npz(path), NAMED | {'columns': KERNEL, 'scalar': np.array(2.0)})


def _zipped(content: bytes) -> bytes:
  stream = io.BytesIO()
  with zipfile.ZipFile(stream, 'w') as archive:
    archive.writestr('a.npy', content)
  return stream.getvalue()


def _npy(header: str, data: bytes = b'') -> bytes:
  text = header.encode() + b'\n'
  return _zipped(b'\x93NUMPY\1\0' + len(text).to_bytes(2, 'little') + text + data)


HUGE = "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999,)}"
OBJECTS = "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"
CALLS = "{'descr': print('ran'), 'fortran_order': False, 'shape': (1,)}"


@pytest.mark.parametrize(
  'content',
  [
    b'',
    b'PK\3\4',
    _zipped(b'no array'),
    _npy(HUGE, bytes(4)),
    _npy(OBJECTS, bytes(8)),
    _npy(CALLS),
  ],
)
def test_a_broken_npz_is_one_sentence(
  tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
  path = tmp_path / 'x.npz'
  path.write_bytes(content)
  with pytest.raises(UserError, match='not a readable npz file of plain arrays'):
    flax_files.read_npz(path)
  assert capsys.readouterr().out == ''


def test_an_npz_that_would_run_code_leaves_no_trace(tmp_path: Path) -> None:
  trace = tmp_path / 'trace'
  array = np.empty(1, object)
  array[0] = Evil(Path.touch, trace)
  np.savez(tmp_path / 'x.npz', a=array)
  with np.load(tmp_path / 'x.npz', allow_pickle=True) as arrays:
    arrays['a']
  assert trace.exists(), 'the attack does not work even where it is allowed'
  trace.unlink()
  with pytest.raises(UserError, match='Python objects'):
    flax_files.read_npz(tmp_path / 'x.npz')
  assert not trace.exists()


def test_an_npz_does_not_grow(tmp_path: Path) -> None:
  np.savez_compressed(tmp_path / 'x.npz', a=np.zeros(10**7, np.int8))
  with pytest.raises(UserError, match='grows to more than 100 times its size'):
    flax_files.read_npz(tmp_path / 'x.npz')


def test_orbax(tmp_path: Path) -> None:
  with ocp.StandardCheckpointer() as checkpointer:
    checkpointer.save(tmp_path / 'tree', TREE)
  check(flax_files.read_checkpoint(tmp_path / 'tree'))


def test_a_run_of_ours(tmp_path: Path) -> None:
  """What was selected, or the newest, and its first seed; teachers, optimizers are left out."""
  checkpoints = Checkpoints(tmp_path / 'checkpoints')
  for step in (9, 10):
    state = {
      'params': {'extractor': {'dense': {'kernel': np.stack([KERNEL + step, KERNEL - 7])}}},
      'states': {
        'batch_stats': {'extractor': {'bn': {'mean': np.stack([STATS + step, STATS])}}},
        'teacher': {'extractor': {'bn': {'mean': np.stack([STATS, STATS])}}},
      },
      'optimizer': {'extractor': np.zeros((2, 3), np.float32)},
      'seed': np.array([0, 1], np.int32),
      'step': np.array([step, step], np.int32),
    }
    checkpoints.save(step, state, {})
  checkpoints.close()
  wanted = {'extractor/dense/kernel': KERNEL + 10, 'extractor/bn/mean': STATS + 10}
  check(flax_files.read_checkpoint(tmp_path), wanted)
  newer = {name: array - 1 for name, array in wanted.items()}
  check(flax_files.read_checkpoint(tmp_path / 'checkpoints' / '9'), newer)
  shutil.copytree(tmp_path / 'checkpoints' / '9', tmp_path / 'selected' / '9')
  check(flax_files.read_checkpoint(tmp_path), newer)


def test_a_broken_checkpoint_is_one_sentence(tmp_path: Path) -> None:
  with pytest.raises(UserError, match='a folder without an Orbax checkpoint'):
    flax_files.read_checkpoint(tmp_path)
  with ocp.StandardCheckpointer() as checkpointer:
    checkpointer.save(tmp_path / 'tree', TREE)
  (tmp_path / 'tree' / '_METADATA').write_text('{')
  with pytest.raises(UserError, match='a broken Orbax checkpoint'):
    flax_files.read_checkpoint(tmp_path / 'tree')
