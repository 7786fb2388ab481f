"""Corrupted images: always the same, stronger and stronger, and by which formula."""

import numpy as np
import pytest

from tlda import data
from tlda.data.corruptions import CORRUPTIONS, STRENGTHS, Corrupted
from tlda.errors import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1)).astype(np.uint8)


def made(kind: str, strength: int, images: np.ndarray = IMAGES) -> np.ndarray:
  return Corrupted(images, kind, strength, 'test').fetch(np.arange(len(images)))


@pytest.mark.parametrize('kind', CORRUPTIONS)
def test_stronger_is_further_from_the_image(kind: str) -> None:
  images = np.random.default_rng(1).integers(0, 256, (2, 40, 40, 1)).astype(np.uint8)
  gaps = [np.abs(made(kind, s, images) - images.astype(float)).mean() for s in (1, 3, STRENGTHS)]
  assert 1 < gaps[0] < gaps[1] < gaps[2]


@pytest.mark.parametrize('kind', ['fog', 'gaussian_noise'])
def test_noise_is_of_the_place_and_of_the_split(kind: str) -> None:
  inputs = Corrupted(IMAGES, kind, 2, 'test')
  whole, some = made(kind, 2), inputs.fetch(np.array([4, 1]))
  np.testing.assert_array_equal(some, whole[[4, 1]])
  same = np.repeat(IMAGES[:1], 2, axis=0)
  first, second = made(kind, 2, same)
  assert (first != second).any()
  assert (Corrupted(IMAGES, kind, 2, 'train').fetch(np.arange(6)) != whole).any()


def test_by_hand() -> None:
  x = IMAGES / 255
  mean = x.mean((1, 2), keepdims=True)
  expected = np.round(255 * (mean + 0.2 * (x - mean)))
  assert np.abs(made('contrast', 3) - expected).max() <= 1
  grey = np.full((1, 64, 64, 1), 128, np.uint8)
  noise = (made('gaussian_noise', 2, grey) - 128.0) / 255
  assert abs(noise.mean()) < 0.01
  assert abs(noise.std() - 0.12) < 0.01
  assert set(made('blur', 5, grey).ravel()) == {128}
  point = np.zeros((1, 51, 51, 1), np.uint8)
  point[0, 25, 25] = 255
  distance = np.arange(51) - 25
  bell = np.exp(-(distance**2) / 2 / (0.02 * 51) ** 2)
  expected = np.round(255 * np.outer(bell, bell) / bell.sum() ** 2)
  assert np.abs(made('blur', 1, point)[0, ..., 0] - expected).max() <= 1
  blocks = made('pixelate', 5)[..., 0].reshape(6, 2, 4, 2, 4)
  assert (blocks == blocks[:, :, :1, :, :1]).all()
  black = made('fog', 5, np.zeros((4, 16, 16, 1), np.uint8))
  assert black.min() == 0
  assert black.max() == round(255 * 2.5 / 3.5)


def test_domains_are_named_by_kind_and_strength() -> None:
  clean, domain = data.load('sklearn_digits'), data.load('corrupted:sklearn_digits/contrast-1')
  assert domain.name == 'corrupted:sklearn_digits/contrast-1'
  assert isinstance(domain.test.inputs, np.ndarray)
  assert domain.test.inputs.shape == clean.test.inputs.shape
  np.testing.assert_array_equal(domain.test.labels, clean.test.labels)
  rows = np.array([7, 3])
  expected = Corrupted(clean.train.inputs, 'contrast', 1, 'train').fetch(rows)
  np.testing.assert_array_equal(domain.train.fetch(rows), expected)
  colour = domain.train.inputs.with_channels(3)
  assert colour.fetch(rows).shape == (2, 28, 28, 3)


@pytest.mark.parametrize(
  ('name', 'sentence'),
  [
    ('corrupted:mnist_mini/snow-3', "unknown corruption 'snow'"),
    ('corrupted:mnist_mini/fog', "unknown corruption 'fog'"),
    ('corrupted:mnist_mini/fog-9', 'the strength of fog is from 1 to 5: fog-3'),
    ('corrupted:nothing/fog-1', "unknown domain 'nothing'"),
  ],
)
def test_what_is_refused(name: str, sentence: str) -> None:
  with pytest.raises(UserError, match=sentence):
    data.load(name)
