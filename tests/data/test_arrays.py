"""`npz:PATH`."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tlda import data
from tlda.data import files
from tlda.errors import UserError

LABELS = np.array([0, 1, 2, 0, 1, 2])
IMAGES = np.arange(6 * 4 * 4, dtype=np.uint8).reshape(6, 4, 4)
GOOD: dict[str, Any] = {'x_train': IMAGES, 'y_train': LABELS, 'x_test': IMAGES, 'y_test': LABELS}


def name_of(tmp_path: Path, arrays: dict[str, Any]) -> str:
  np.savez(tmp_path / 'made.npz', **arrays)
  return f'npz:{tmp_path}/made.npz'


@pytest.mark.parametrize('shape', [(6, 4, 4), (6, 4, 4, 1), (2, 4, 4, 3)])
def test_images_come_back(tmp_path: Path, shape: tuple[int, ...]) -> None:
  images = IMAGES.reshape(shape)
  labels = np.arange(len(images)).astype(np.uint64)
  arrays = {'x_train': images, 'y_train': labels, 'x_test': images, 'y_test': labels[::-1]}
  name = name_of(tmp_path, arrays)
  loaded = data.load(name)
  np.testing.assert_array_equal(loaded.train.inputs, images.reshape(len(images), 4, 4, -1))
  np.testing.assert_array_equal(loaded.test.labels, labels[::-1])
  assert loaded.train.labels.dtype == np.int32
  assert (loaded.name, loaded.classes) == (name, tuple(map(str, range(len(images)))))


def test_images_are_resized(tmp_path: Path) -> None:
  assert data.load(name_of(tmp_path, GOOD), image_size=2).test.inputs.shape == (6, 2, 2, 1)


def test_vectors_become_float32(tmp_path: Path) -> None:
  vectors = np.linspace(-1, 1, 12).reshape(6, 2)
  loaded = data.load(name_of(tmp_path, GOOD | {'x_train': vectors, 'x_test': vectors}))
  assert loaded.train.inputs.dtype == np.float32
  np.testing.assert_array_equal(loaded.train.inputs, vectors.astype(np.float32))


def test_classes_may_have_names(tmp_path: Path) -> None:
  names = ['cat', 'dog', 'owl', 'yak']
  assert data.load(name_of(tmp_path, GOOD | {'class_names': names})).classes == tuple(names)


def test_every_fifth_example_of_a_class_tests_where_there_is_no_test_set(tmp_path: Path) -> None:
  labels = np.array([0] * 5 + [1] * 11)
  images = np.arange(16, dtype=np.uint8).reshape(16, 1, 1)
  loaded = data.load(name_of(tmp_path, {'inputs': images, 'labels': labels}))
  np.testing.assert_array_equal(loaded.test.inputs.ravel(), [4, 9, 14])
  np.testing.assert_array_equal(loaded.test.labels, [0, 1, 1])
  np.testing.assert_array_equal(loaded.train.inputs.ravel(), sorted(set(range(16)) - {4, 9, 14}))


def test_an_archive_that_would_grow_without_measure_is_refused(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setattr(files, '_ALWAYS_READ', 10**5)
  np.savez_compressed(tmp_path / 'made.npz', **GOOD, more=np.zeros(10**6, np.uint8))
  with pytest.raises(UserError, match='it would grow to 0.0 GiB'):
    data.load(f'npz:{tmp_path}/made.npz')
  np.savez(tmp_path / 'made.npz', **GOOD, more=np.zeros(10**6, np.uint8))
  data.load(f'npz:{tmp_path}/made.npz')


BAD: dict[str, tuple[dict[str, Any], str]] = {
  'negative': ({'y_train': LABELS - 1}, 'labels must be at least 0, one is -1'),
  'fractions': ({'y_train': LABELS + 0.5}, 'labels are float64, not integers'),
  'too large': ({'y_test': LABELS + 2**40}, r'label 1099511627778 is out of range'),
  'unseen': ({'y_test': LABELS + 1}, 'label 3 is out of range, there are 3 classes'),
  'from 1': ({'y_train': LABELS + 1}, r'must be 0, 1, 2, \.\.\. without a gap, they are 1, 2, 3'),
  'lengths': ({'y_train': LABELS[:5]}, r'labels have shape \(5,\), expected \(6,\)'),
  'one-hot': ({'y_train': np.eye(6, dtype=int)}, r'labels have shape \(6, 6\), expected \(6,\)'),
  'float images': ({'x_train': IMAGES / 255}, 'images are float64, not uint8'),
  'two channels': ({'x_test': IMAGES.reshape(3, 4, 4, 2)}, r'inputs have shape \(3, 4, 4, 2\)'),
  'one number': ({'x_test': np.float32(3)}, 'has no examples'),
  'empty': ({'x_test': IMAGES[:0], 'y_test': LABELS[:0]}, 'has no examples'),
  'no pixels': ({'x_test': IMAGES[:, :0]}, r'has no examples: its inputs have shape \(6, 0, 4\)'),
  'sizes': ({'x_test': IMAGES[:, :3]}, r'training inputs have shape \(4, 4, 1\), test inputs \(3,'),
  'not finite': ({'x_train': np.full((6, 2), 1e39)}, 'values that are not finite in float32'),
  'text': ({'x_train': np.full((6, 2), 'x')}, 'vectors are numbers'),
  'class names': ({'class_names': np.array('cat')}, 'class_names must be a list'),
}


@pytest.mark.parametrize('case', BAD)
def test_a_mistake_is_one_sentence(tmp_path: Path, case: str) -> None:
  change, said = BAD[case]
  name = name_of(tmp_path, GOOD | change)
  with pytest.raises(UserError, match=said) as caught:
    data.load(name)
  assert str(caught.value).startswith(name)
  assert '\n' not in str(caught.value)


def test_missing_arrays_are_named(tmp_path: Path) -> None:
  with pytest.raises(UserError, match='has x_train; expected x_train, y_train, x_test, y_test'):
    data.load(name_of(tmp_path, {'x_train': IMAGES}))


def test_vectors_have_no_image_size(tmp_path: Path) -> None:
  vectors = np.zeros((6, 2))
  name = name_of(tmp_path, GOOD | {'x_train': vectors, 'x_test': vectors})
  with pytest.raises(UserError, match='vectors, which have no image size: --image_size=0'):
    data.load(name, image_size=28)


def test_there_must_be_a_file(tmp_path: Path) -> None:
  for path in (tmp_path / 'none.npz', tmp_path):
    with pytest.raises(UserError, match=f'no such file: {path}'):
      data.load(f'npz:{path}')


class Trap:
  """Leaves a mark where it is unpickled."""

  def __init__(self, mark: Path) -> None:
    self.mark = mark

  def __reduce__(self) -> tuple[Any, ...]:
    return Path.touch, (self.mark,)


def test_pickled_objects_are_refused_and_not_run(tmp_path: Path) -> None:
  mark = tmp_path / 'ran'
  trap = np.array([Trap(mark)] * 6, dtype=object)
  name = name_of(tmp_path, GOOD | {'x_train': trap})
  with pytest.raises(UserError, match='not a readable npz file of plain arrays'):
    data.load(name)
  trap.dump(tmp_path / 'made.npz')
  with pytest.raises(UserError, match='is not an npz file'):
    data.load(name)
  assert not mark.exists()


def test_broken_files_are_refused(tmp_path: Path) -> None:
  path = tmp_path / 'made.npz'
  name = name_of(tmp_path, GOOD)
  whole = path.read_bytes()
  np.savez_compressed(path, **GOOD)
  packed = path.read_bytes()
  damaged = packed[:60] + bytes(255 - byte for byte in packed[60:100]) + packed[100:]
  for content in (b'', b'text', whole[:200], whole[:-30], damaged):
    path.write_bytes(content)
    with pytest.raises(UserError, match=r'made\.npz is not a') as caught:
      data.load(name)
    assert '\n' not in str(caught.value)


def test_a_single_array_is_no_npz_file(tmp_path: Path) -> None:
  np.save(tmp_path / 'one.npy', IMAGES)
  with pytest.raises(UserError, match='is not an npz file'):
    data.load(f'npz:{tmp_path}/one.npy')
