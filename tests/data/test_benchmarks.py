"""The benchmark data, where they are there: counted, and the published MNIST-M bit for bit."""

import functools
import gzip
import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from tlda import data
from tlda.data import Domain
from tlda.errors import UserError

# Examples of each class, as counted when the data were collected.
COUNTS = {
  'mnist': (
    [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
  ),
  'usps': (
    [1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644],
    [359, 264, 198, 166, 200, 160, 170, 147, 166, 177],
  ),
  'mnist_m': (
    [5825, 6640, 5853, 6028, 5746, 5331, 5812, 6158, 5757, 5851],
    [878, 1016, 933, 908, 890, 807, 856, 914, 880, 919],
  ),
}


@functools.cache
def domain(name: str, data_dir: Path) -> Domain:
  return data.load(name, data_dir)


@pytest.mark.parametrize('name', COUNTS)
def test_classes_are_counted(name: str, data_dir: Path) -> None:
  loaded = domain(name, data_dir)
  for split, counts in zip((loaded.train, loaded.test), COUNTS[name], strict=True):
    np.testing.assert_array_equal(np.bincount(split.labels), counts)
    channels = 3 if name == 'mnist_m' else 1
    assert split.inputs.shape == (sum(counts), 28, 28, channels)
    assert (split.inputs.dtype, split.labels.dtype) == (np.uint8, np.int32)
  assert loaded.classes == tuple('0123456789')
  assert loaded.licence


def test_mnist_m_is_the_published_one(data_dir: Path) -> None:
  loaded = domain('mnist_m', data_dir)
  found = [hashlib.sha256(split.inputs.tobytes()) for split in (loaded.train, loaded.test)]
  assert [digest.hexdigest() for digest in found] == [
    '7ea10580b2ba73a424d73c618000011af38c19bb583f30faa310ef69a5d08f26',
    '3bde75907271a9cc6a8c9d68cc8abead521ccfb55c138713dc0646440988c3ef',
  ]


def test_usps_is_resized_at_half_integer_centers(data_dir: Path) -> None:
  with np.load(data_dir / 'usps' / 'usps.npz') as arrays:
    value = arrays['x_test_times2000'][5].astype(float) / 2000
  centers = np.clip((np.arange(28) + 0.5) * 16 / 28 - 0.5, 0, 15)
  low = np.minimum(centers.astype(int), 14)
  weight = centers - low
  rows = value[low] * (1 - weight)[:, None] + value[low + 1] * weight[:, None]
  both = rows[:, low] * (1 - weight) + rows[:, low + 1] * weight
  image = domain('usps', data_dir).test.inputs[5, ..., 0]
  np.testing.assert_allclose(image, 255 * both, atol=0.5 + 1e-3)


def test_usps_is_resized_once(data_dir: Path) -> None:
  native = data.load('usps', data_dir, image_size=16)
  with np.load(data_dir / 'usps' / 'usps.npz') as arrays:
    exact = np.rint(arrays['x_test_times2000'] * (255 / 2000))
  np.testing.assert_array_equal(native.test.inputs[..., 0], exact)


def test_mnist_mini_is_the_beginning_of_mnist(data_dir: Path) -> None:
  whole, mini = domain('mnist', data_dir), data.load('mnist_mini')
  for split in ('train', 'test'):
    part, all_of_it = getattr(mini, split), getattr(whole, split)
    np.testing.assert_array_equal(part.inputs, all_of_it.inputs[: len(part)])
    np.testing.assert_array_equal(part.labels, all_of_it.labels[: len(part)])


@pytest.mark.parametrize('name', COUNTS)
def test_what_is_missing_is_said(name: str, tmp_path: Path) -> None:
  with pytest.raises(UserError) as caught:
    data.load(name, tmp_path)
  said = str(caught.value)
  assert said.startswith(f'{name}: ')
  for part in ('is missing, looked for in', str(tmp_path), 'licence'):
    assert part in said
  assert '\n' not in said


def test_without_a_data_directory_it_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.delenv('TLDA_DATA_DIR', raising=False)
  with pytest.raises(UserError, match='--data_dir or TLDA_DATA_DIR'):
    data.load('mnist')


def test_the_environment_names_the_data_directory(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setenv('TLDA_DATA_DIR', str(tmp_path))
  with pytest.raises(UserError, match=str(tmp_path)):
    data.load('usps')


def test_changed_and_broken_files_are_refused(data_dir: Path, tmp_path: Path) -> None:
  shutil.copytree(data_dir / 'mnist', tmp_path / 'mnist', copy_function=shutil.copyfile)
  path = tmp_path / 'mnist' / 't10k-labels-idx1-ubyte.gz'
  content = path.read_bytes()
  for broken in (content[:-100], b'not gzip', content[:100] + b'????' + content[104:]):
    path.write_bytes(broken)
    with pytest.raises(UserError, match=r't10k-labels.* is not a readable gzip file'):
      data.load('mnist', tmp_path)
  path.write_bytes(gzip.compress(b'other labels'))
  with pytest.raises(UserError, match='differs from the published data'):
    data.load('mnist', tmp_path)


def test_other_arrays_are_not_usps(tmp_path: Path) -> None:
  (tmp_path / 'usps').mkdir()
  np.savez(tmp_path / 'usps' / 'usps.npz', y_train=np.zeros(3))
  with pytest.raises(UserError, match='has no array x_train_times2000'):
    data.load('usps', tmp_path)
  np.savez(tmp_path / 'usps' / 'usps.npz', x_train_times2000=np.zeros((3, 16, 16)))
  with pytest.raises(UserError, match='x_train_times2000 .* differs from the published data'):
    data.load('usps', tmp_path)


def test_adda_takes_a_fixed_part_of_the_training_examples(data_dir: Path) -> None:
  for name, examples in (('mnist', 2000), ('usps', 1800)):
    part, whole = domain(f'adda/{name}', data_dir), domain(name, data_dir)
    assert part.name == f'adda/{name}'
    assert len(part.train) == examples
    assert part.test.sha256 == whole.test.sha256
    known = {image.tobytes() for image in whole.train.inputs}
    drawn = [image.tobytes() for image in part.train.inputs]
    assert len(set(drawn)) >= examples - 10  # USPS holds a few images twice.
    assert set(drawn) <= known
    again = data.load(f'adda/{name}', data_dir)
    assert again.train.sha256 == part.train.sha256


def test_amazon_reviews_are_counted(data_dir: Path) -> None:
  tests = {
    'books': (2201, 2264),
    'dvd': (1779, 1807),
    'electronics': (2824, 2857),
    'kitchen': (2991, 2954),
  }
  for name, counts in tests.items():
    loaded = data.load(f'amazon/{name}', data_dir)
    assert loaded.train.inputs.shape == (2000, 5000)
    np.testing.assert_array_equal(np.bincount(loaded.train.labels), [1000, 1000])
    np.testing.assert_array_equal(np.bincount(loaded.test.labels), counts)
    assert loaded.train.inputs.min() == 0
    assert (loaded.train.inputs == loaded.train.inputs.astype(int)).all()
  with pytest.raises(UserError, match='amazon/dvd holds vectors, which have no image size'):
    data.load('amazon/dvd', data_dir, 28)


def test_amazon_in_one_row_by_hand(data_dir: Path) -> None:
  with np.load(data_dir / 'amazon_reviews' / 'amazon_bow5000.npz') as arrays:
    counts, columns, starts = (
      arrays[f'dvd_test_{part}'] for part in ('counts', 'indices', 'indptr')
    )
  row = data.load('amazon/dvd', data_dir).test.inputs[7]
  expected = np.zeros(5000)
  for place in range(starts[7], starts[8]):
    expected[columns[place]] += counts[place]
  np.testing.assert_array_equal(row, expected)
