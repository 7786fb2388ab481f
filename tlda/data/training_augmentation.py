"""What training images go through before a network learns from them, drawn anew at each step.

Unlike the views of `augmentation`, which stand beside the image for the methods that ask for them,
these take its place, in the source and in the target alike (else a domain could be told by it), and
in no evaluation. They mirror: not for digits and letters.
"""

import jax
import jax.numpy as jnp

from tlda.data.augmentation import View, operated, warped

# The share of the image's area that is kept, and the crop's width by its height.
AREA, ASPECT = (0.35, 1.0), (3 / 4, 4 / 3)


def crop_flip(key: jax.Array, image: jax.Array) -> jax.Array:
  """Cuts a random part out of an image, resizes it to the whole, and mirrors it half of the time.

  The random resized crop of Szegedy et al. (2015), *Going Deeper with Convolutions*, section 6: a
  rectangle of 35 to 100 % of the area (there from 8 %, which asks for the length of a training from
  scratch), whose width is 3/4 to 4/3 of its height, resized bilinearly.

  Args:
    key: Random key.
    image: `[height, width, channels]`, float.

  Returns:
    The image to learn from, of the same shape and dtype.
  """
  warp = _crop(key, image.shape)
  rows, columns = (
    _interpolation(size, warp[axis, axis], warp[axis, 2])
    for axis, size in enumerate(image.shape[:2])
  )
  cropped = jnp.einsum('yi,xj,ijc->yxc', rows, columns, image.astype(jnp.float32))
  return cropped.astype(image.dtype)


def randaugment(key: jax.Array, image: jax.Array) -> jax.Array:
  """Crops and mirrors as `crop_flip` does, with two random operations on colours or place.

  RandAugment (Cubuk, Zoph, Shlens, Le, 2020), with the operations of the strong view, whose
  strengths are drawn anew for each image, as in FixMatch, where the paper has one for all.

  Args:
    key: Random key.
    image: `[height, width, channels]` in [0, 1], float.

  Returns:
    The image to learn from, of the same shape and dtype.
  """
  crop, operations = jax.random.split(key)
  numbers = jax.random.uniform(operations, (4,))
  changed, warp = operated(image.astype(jnp.float32), _crop(crop, image.shape), numbers)
  return warped(changed, warp).astype(image.dtype)


AUGMENTATIONS: dict[str, View] = {'crop_flip': crop_flip, 'randaugment': randaugment}


def _crop(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
  """Draws a rectangle of an image, perhaps mirrored.

  Args:
    key: Random key.
    shape: `(height, width, channels)`.

  Returns:
    `[3, 3]`, from a place in the result to one in the image, as `augmentation.warped` takes it:
    (y, x, 1) in half sides from the centre, where -1 and 1 are the centres of the outermost pixels.
  """
  height, width, _ = shape
  numbers = jax.random.uniform(key, (5,))
  area = AREA[0] + (AREA[1] - AREA[0]) * numbers[0]
  # Any aspect is as likely as its inverse; one that would not fit gives way to the nearest.
  low, high = jnp.log(jnp.array(ASPECT))
  aspect = jnp.exp(low + (high - low) * numbers[1])
  aspect = jnp.clip(aspect, area * width / height, width / height / area)
  shares = jnp.sqrt(jnp.array([area * width / height / aspect, area * aspect * height / width]))
  mirrored = jnp.where(numbers[4] < 0.5, -1, 1)
  # The centre of the crop lies where both its borders are inside; a side of n pixels has n - 1
  # between the centres of its outermost two.
  sides = jnp.array([height, width])
  centres = (1 - shares) * (2 * numbers[2:4] - 1) * sides / jnp.maximum(sides - 1, 1)
  scales = shares * jnp.array([1, mirrored])
  return jnp.diag(jnp.append(scales, 1.0)).at[:2, 2].set(centres)


def _interpolation(size: int, scale: jax.Array, offset: jax.Array) -> jax.Array:
  """Returns `[size, size]`: what of each pixel of a side each pixel of the result is made of."""
  half = (size - 1) / 2
  places = jnp.clip((scale * jnp.linspace(-1, 1, size) + offset + 1) * half, 0, 2 * half)
  return jnp.maximum(1 - jnp.abs(places[:, None] - jnp.arange(size)), 0)
