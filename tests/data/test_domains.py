"""Domains that are put beside each other, their hashes and means."""

import hashlib

import numpy as np
import pytest

from tlda.data import Domain, Split, channel_mean, fit_together
from tlda.data.domains import Inputs
from tlda.errors import UserError


class Lazy:
  """Images that are made when they are asked for: image i is all i (mod 256)."""

  dtype = np.dtype(np.uint8)

  def __init__(self, examples: int, channels: int = 1) -> None:
    self.shape = (examples, 4, 4, channels)
    self.channels = channels

  def __len__(self) -> int:
    return self.shape[0]

  @property
  def sha256(self) -> str:
    return f'lazy {self.shape}'

  def fetch(self, indices: np.ndarray) -> np.ndarray:
    return np.broadcast_to(indices[:, None, None, None] % 256, (len(indices), *self.shape[1:]))

  def with_channels(self, channels: int) -> 'Lazy':
    return Lazy(len(self), channels)


def split(inputs: Inputs) -> Split:
  return Split(inputs, np.zeros(len(inputs), np.int32))


def images(*shape: int, seed: int = 0) -> np.ndarray:
  return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def domain(name: str, inputs: Inputs, classes: str = 'ab') -> Domain:
  return Domain(name, split(inputs), split(inputs), tuple(classes), 'none')


def test_equal_shapes_are_left_alone() -> None:
  source, target = (domain(name, images(2, 8, 8, 1)) for name in 'st')
  assert fit_together([source], target) == ([source], target)


@pytest.mark.parametrize('grey', [images(2, 4, 4, 1), Lazy(2)])
def test_grey_is_repeated_where_another_is_in_color(grey: Inputs) -> None:
  colored = domain('colored', images(3, 4, 4, 3))
  (source, other), target = fit_together([domain('grey', grey), colored], colored)
  assert other is target is colored
  for part in (source.train, source.test):
    assert part.inputs.shape == (2, 4, 4, 3)
    found = part.fetch(np.array([1, 0]))
    expected = grey[[1, 0]] if isinstance(grey, np.ndarray) else grey.fetch(np.array([1, 0]))
    for channel in range(3):
      np.testing.assert_array_equal(found[..., channel], expected[..., 0])
  (source,), target = fit_together([colored], domain('grey', grey))
  assert target.test.inputs.shape == (2, 4, 4, 3)


@pytest.mark.parametrize(
  ('inputs', 'message'),
  [
    (images(2, 8, 8, 1), r'different example shapes \(s 4x4x1, t 8x8x1\): give an image size'),
    (np.zeros((2, 5), np.float32), r'different example shapes \(s 4x4x1, t 5\)$'),
  ],
)
def test_shapes_that_do_not_fit(inputs: np.ndarray, message: str) -> None:
  with pytest.raises(UserError, match=message):
    fit_together([domain('s', images(2, 4, 4, 1))], domain('t', inputs))


def test_vectors_of_different_length_do_not_fit() -> None:
  source, target = (domain(f'v{d}', np.zeros((2, d), np.float32)) for d in (1, 3))
  with pytest.raises(UserError, match=r'different example shapes \(v1 1, v3 3\)'):
    fit_together([source], target)


def test_classes_that_do_not_fit() -> None:
  inputs = images(2, 4, 4, 1)
  message = r'^s and t have different classes \(2: a, b against 6: a, b, c, d, ...\)$'
  with pytest.raises(UserError, match=message):
    fit_together([domain('s', inputs)], domain('t', inputs, 'abcdef'))


def test_hash_tells_contents_types_shapes_and_labels_apart() -> None:
  inputs, labels = images(1500, 2, 2, 1), np.arange(1500, dtype=np.int32)
  same = Split(inputs.copy(), labels.copy())
  others = [
    Split(inputs + 1, labels),
    Split(inputs.reshape(1500, 4, 1, 1), labels),
    Split(inputs.view(np.int8), labels),
    Split(inputs, labels + 1),
  ]
  expected = Split(inputs, labels).sha256
  assert same.sha256 == expected
  assert len({expected, *(other.sha256 for other in others)}) == 5


def test_hash_by_hand() -> None:
  inputs, labels = np.array([[1.0, 2.0]], np.float32), np.array([3], np.int32)
  content = b'float32 (1, 2)' + inputs.tobytes() + labels.tobytes()
  assert Split(inputs, labels).sha256 == hashlib.sha256(content).hexdigest()


def test_mean_counts_domains_equally() -> None:
  few = domain('few', np.full((2, 3, 3, 3), [10, 20, 40], np.uint8))
  many = domain('many', np.full((3000, 3, 3, 3), [30, 20, 0], np.uint8))
  mean = channel_mean([few, many])
  assert mean.dtype == np.float32
  np.testing.assert_array_equal(mean, [20, 20, 20])


def test_mean_of_vectors() -> None:
  vectors = domain('v', np.array([[1, 2], [3, 6]], np.float32))
  np.testing.assert_array_equal(channel_mean([vectors]), [2, 4])


def test_mean_of_many_lazy_images_is_that_of_a_sample() -> None:
  # 16,384 images in 64 rounds of 0..255: the mean of all is 127.5.
  np.testing.assert_allclose(channel_mean([domain('lazy', Lazy(16_384))]), 127.5, atol=0.6)


def texts(*said: str) -> Domain:
  return domain('reviews', np.array(said, np.dtypes.StringDType()))


def test_the_hash_of_texts_is_of_what_they_say_and_where_one_ends() -> None:
  expected = hashlib.sha256(b'text (2,)' + b'2 ab' + b'3 \xc3\xa9c' + np.zeros(2, '<i4').tobytes())
  assert texts('ab', 'éc').train.sha256 == expected.hexdigest()
  hashes = {texts(*said).train.sha256 for said in (('ab', 'c'), ('a', 'bc'), ('ab', 'c ', ''))}
  assert len(hashes) == 3


def test_texts_have_no_mean_and_tokens_an_empty_one() -> None:
  with pytest.raises(UserError, match='^reviews holds texts: a network reads tokens'):
    channel_mean([texts('a', 'b')])
  tokens = domain('tokens', np.array([[101, 7, 102], [101, 102, 0]], np.int32))
  assert tokens.train.is_tokens
  assert channel_mean([tokens, tokens]).shape == (0,)
  expected = hashlib.sha256(b'int32 (2, 3)' + tokens.train.inputs.tobytes() + bytes(8))
  assert tokens.train.sha256 == expected.hexdigest()


def test_texts_and_tokens_go_together_with_their_kind_alone() -> None:
  one, other = texts('a'), texts('b', 'c')
  assert fit_together([one], other) == ([one], other)
  with pytest.raises(UserError, match=r'different example shapes \(reviews text, image 4x4x1\)$'):
    fit_together([one], domain('image', images(2, 4, 4, 1)))
