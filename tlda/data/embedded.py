"""Domains that need no download: a subset of MNIST, and what scikit-learn ships."""

from pathlib import Path

import numpy as np
from sklearn import datasets

from tlda.data import files, mnist, mnist_m
from tlda.data.domains import Domain, Split
from tlda.data.images import resize

# The first so many images of MNIST, in its order.
TRAIN_EXAMPLES, TEST_EXAMPLES = 5000, 2000
MINI_FILE = Path(__file__).with_name('mnist_mini.npz')

_OPTDIGITS_TEST = 500
_PHOTO_BORDER = 480  # Training patches lie left of this column of a photograph, test patches right.
_PHOTO_SEED = 0
# As the notes say that scikit-learn ships beside them.
_OPTDIGITS_LICENCE = (
  'none stated; distributed with scikit-learn (BSD 3-clause) as a copy of the test set of the '
  'Optical Recognition of Handwritten Digits of E. Alpaydin and C. Kaynak (1998)'
)
_PHOTO_LICENCE = (
  "scikit-learn's sample images china.jpg and flower.jpg, CC BY 2.0 (danielbuechele, vultilion)"
)


def mnist_mini(data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads the first 5,000 training and the first 2,000 test images of MNIST.

  Args:
    data_dir: Not needed.
    image_size: Height and width to resize to.

  Returns:
    The domain, images `[n, 28, 28, 1]`.
  """
  del data_dir
  splits = [Split(resize(x[..., None], image_size), y) for x, y in _mini()]
  return Domain('mnist_mini', *splits, mnist.CLASSES, mnist.LICENCE)


def mnist_photo(data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Makes digits on photographs as MNIST-M was made, of `mnist_mini` and two photographs.

  As in MNIST-M, image `i` shows digit `i` of `mnist_mini`, of the same split, and every non-zero
  pixel inverts what is behind it. Patches of 28x28 are cut at random, but always the same, out of
  scikit-learn's two sample images: those to train with from the left three quarters, those to test
  with from the right quarter, so that no pixel is in both.

  Args:
    data_dir: Not needed.
    image_size: Height and width to resize to.

  Returns:
    The domain, images `[n, 28, 28, 3]`.
  """
  del data_dir
  photographs = [datasets.load_sample_image(name) for name in ('china.jpg', 'flower.jpg')]
  halves = (
    [photograph[:, :_PHOTO_BORDER] for photograph in photographs],
    [photograph[:, _PHOTO_BORDER:] for photograph in photographs],
  )
  # RandomState's stream is frozen, unlike default_rng's.
  random = np.random.RandomState(_PHOTO_SEED)
  splits = []
  for (digits, labels), parts in zip(_mini(), halves, strict=True):
    height, width = parts[0].shape[:2]
    which = random.randint(len(parts), size=len(digits))
    rows = random.randint(height - 27, size=len(digits))
    columns = random.randint(width - 27, size=len(digits))
    images = mnist_m.invert(digits > 0, parts, which, rows, columns)
    splits.append(Split(resize(images, image_size), labels))
  licence = f'{mnist.LICENCE}; {_PHOTO_LICENCE}'
  return Domain('mnist_photo', *splits, mnist.CLASSES, licence)


def sklearn_digits(data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads scikit-learn's handwritten digits in the layout of MNIST.

  1,797 digits of 8x8 with values 0..16 (Alpaydin and Kaynak, 1998). Values are scaled to 0..255,
  resized to 20x20 (bilinear) and put in the middle of 28x28, as MNIST's digits are. The last 500
  are the test set: digits that are stored near each other look alike (so much that they seem to be
  of one hand), so this asks for more than a random choice would.

  Args:
    data_dir: Not needed.
    image_size: Height and width to resize to.

  Returns:
    The domain, images `[n, 28, 28, 1]`.
  """
  del data_dir
  digits = datasets.load_digits()
  images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[..., None]
  images = np.pad(resize(images, 20), ((0, 0), (4, 4), (4, 4), (0, 0)))
  images, labels = resize(images, image_size), digits.target.astype(np.int32)
  splits = [
    Split(images[rows], labels[rows])
    for rows in (slice(-_OPTDIGITS_TEST), slice(-_OPTDIGITS_TEST, None))
  ]
  return Domain('sklearn_digits', *splits, mnist.CLASSES, _OPTDIGITS_LICENCE)


def _mini() -> list[tuple[np.ndarray, np.ndarray]]:
  """Returns uint8 images `[n, 28, 28]` and int32 labels, to train and to test with."""
  arrays = files.read_arrays(MINI_FILE)
  return [
    (arrays[f'{split}_images'], arrays[f'{split}_labels'].astype(np.int32))
    for split in ('train', 'test')
  ]
