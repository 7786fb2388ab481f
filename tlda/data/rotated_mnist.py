"""MNIST in six domains, each turned by an angle of its own (Ghifary et al., 2015).

The split is that of Gulrajani and Lopez-Paz, *In Search of Lost Domain Generalization* (ICLR 2021):
all 70,000 images are dealt out to the six domains, so that none is seen at two angles, and a fifth
of each is held out. Their draws were not published: here it is one by a fixed seed.
"""

import numpy as np
from PIL import Image

from tlda.data import files, mnist
from tlda.data.domains import Domain, Split
from tlda.data.images import resize

ANGLES = (0, 15, 30, 45, 60, 75)
NAMES = tuple(f'rotated_mnist/{angle}' for angle in ANGLES)
DRAW = 0
_HELD_OUT = 5


def load(name: str, data_dir: files.DataDir = None, image_size: int | None = None) -> Domain:
  """Loads one domain.

  Args:
    name: One of `NAMES`; the angle is in degrees, counter-clockwise.
    data_dir: As for MNIST.
    image_size: Height and width to resize to, after the rotation; None: 28.

  Returns:
    The domain, images `[n, 28, 28, 1]`, a fifth of them to test with.

  Raises:
    UserError: If MNIST's files are missing, corrupt, or not the original.
  """
  place = NAMES.index(name)
  images = np.concatenate([mnist.images(split, data_dir) for split in ('train', 'test')])
  labels = np.concatenate([mnist.labels(split, data_dir) for split in ('train', 'test')])
  order = np.random.Generator(np.random.Philox(DRAW)).permutation(len(labels))
  own = order[place :: len(ANGLES)]
  turned = np.stack([rotate(image, ANGLES[place]) for image in images[own]])[..., None]
  turned, labels, last = resize(turned, image_size), labels[own], len(own) // _HELD_OUT
  splits = [Split(turned[rows], labels[rows]) for rows in (slice(last, None), slice(last))]
  return Domain(name, *splits, mnist.CLASSES, mnist.LICENCE)


def rotate(image: np.ndarray, degrees: float) -> np.ndarray:
  """Turns an image counter-clockwise about its middle, bilinear, black where nothing is known.

  Args:
    image: uint8 `[height, width]`.
    degrees: The angle.

  Returns:
    uint8 `[height, width]`.
  """
  return np.asarray(Image.fromarray(image).rotate(degrees, Image.Resampling.BILINEAR))
