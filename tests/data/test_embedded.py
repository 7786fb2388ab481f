"""What is in the package, or in scikit-learn."""

import numpy as np
import pytest
from sklearn import datasets

from tlda import data
from tlda.data import embedded

SIZES = {
  'mnist_mini': (5000, 2000, 1),
  'mnist_photo': (5000, 2000, 3),
  'sklearn_digits': (1297, 500, 1),
}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
  """Takes the data directory away."""
  monkeypatch.delenv('TLDA_DATA_DIR', raising=False)


@pytest.mark.parametrize('name', SIZES)
def test_shapes_and_types(name: str) -> None:
  loaded, (train, test, channels) = data.load(name), SIZES[name]
  for split, examples in ((loaded.train, train), (loaded.test, test)):
    assert split.inputs.shape == (examples, 28, 28, channels)
    assert split.labels.shape == (examples,)
    assert (split.inputs.dtype, split.labels.dtype) == (np.uint8, np.int32)
    assert set(split.labels) == set(range(10))
  assert loaded.classes == tuple('0123456789')
  assert loaded.licence


@pytest.mark.parametrize('name', SIZES)
def test_loading_again_gives_the_same(name: str) -> None:
  first, second = data.load(name), data.load(name)
  for split in ('train', 'test'):
    assert getattr(first, split).sha256 == getattr(second, split).sha256


def test_an_image_size_is_obeyed() -> None:
  assert data.load('sklearn_digits', image_size=16).test.inputs.shape == (500, 16, 16, 1)


def test_the_file_is_small_and_attributed() -> None:
  assert embedded.MINI_FILE.stat().st_size <= 1.5e6
  assert 'Share Alike 3.0' in embedded.MINI_FILE.with_suffix('.txt').read_text()


def test_ink_inverts_the_photograph_behind_it() -> None:
  digits, photo = data.load('mnist_mini'), data.load('mnist_photo')
  np.testing.assert_array_equal(photo.train.labels, digits.train.labels)
  ink = digits.train.inputs[7] > 0
  patch = np.where(ink, 255 - photo.train.inputs[7], photo.train.inputs[7])
  places = []
  for name in ('china.jpg', 'flower.jpg'):
    picture = datasets.load_sample_image(name)
    windows = np.lib.stride_tricks.sliding_window_view(picture[..., 0], (28, 28))
    found = np.argwhere((windows[..., 0, :] == patch[0, :, 0]).all(-1))
    places += [(r, c) for r, c in found if (picture[r : r + 28, c : c + 28] == patch).all()]
  assert len(places) == 1
  assert places[0][1] <= 480 - 28  # Training patches lie left of what test patches are cut from.


def test_digits_of_scikit_learn_lie_in_the_middle() -> None:
  images = data.load('sklearn_digits').train.inputs
  assert images[:, 4:24, 4:24].max() == 255
  for border in (images[:, :4], images[:, 24:], images[:, :, :4], images[:, :, 24:]):
    assert not border.any()
  # The last 500 are for testing.
  np.testing.assert_array_equal(
    data.load('sklearn_digits').test.labels, datasets.load_digits().target[-500:]
  )
