"""Augmented views of an image, drawn on the device by a key of its own.

Each view is a function `(key, image) -> image` of one float image `[height, width, channels]`;
keyed by an example's place in the global batch, a view does not depend on the number of devices.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

View = Callable[[jax.Array, jax.Array], jax.Array]

# The largest shift of a weak view and the side of a strong one's hole, as shares of a side.
SHIFT, HOLE = 0.125, 0.5


def weak(key: jax.Array, image: jax.Array) -> jax.Array:
  """Shifts an image by up to an eighth of its side, the border repeated.

  The weak view of Sohn et al. (2020), FixMatch, without flips: digits have a handedness.

  Args:
    key: Random key.
    image: `[height, width, channels]` float.

  Returns:
    The shifted image, of the same shape and dtype. A feature vector `[features]` comes back as it
    is.
  """
  if image.ndim != 3:
    return image
  height, width, channels = image.shape
  pad_y, pad_x = max(1, round(SHIFT * height)), max(1, round(SHIFT * width))
  padded = jnp.pad(image, ((pad_y, pad_y), (pad_x, pad_x), (0, 0)), mode='edge')
  top = jax.random.randint(jax.random.fold_in(key, 0), (), 0, 2 * pad_y + 1)
  left = jax.random.randint(jax.random.fold_in(key, 1), (), 0, 2 * pad_x + 1)
  return jax.lax.dynamic_slice(padded, (top, left, 0), (height, width, channels))


def strong(key: jax.Array, image: jax.Array) -> jax.Array:
  """Shifts an image, changes its contrast and brightness, and cuts a square hole into it.

  The hole (Cutout; DeVries and Taylor, 2017) is filled with 0, the mean of preprocessed inputs. Of
  a feature vector `[features]`, half the entries are set to 0 instead.

  Args:
    key: Random key.
    image: `[height, width, channels]` float.

  Returns:
    The view, of the same shape and dtype.
  """
  draw = lambda number, low, high: jax.random.uniform(
    jax.random.fold_in(key, number), (), image.dtype, low, high
  )
  if image.ndim != 3:
    return image * jax.random.bernoulli(key, 0.5, image.shape)
  image = weak(key, image)
  image = image * draw(2, 0.5, 1.5) + draw(3, -0.25, 0.25)
  height, width, _ = image.shape
  rows, columns = jnp.arange(height) / height, jnp.arange(width) / width
  in_rows = jnp.abs(rows - draw(4, 0.0, 1.0)) < HOLE / 2
  in_columns = jnp.abs(columns - draw(5, 0.0, 1.0)) < HOLE / 2
  return jnp.where((in_rows[:, None] & in_columns[None, :])[..., None], 0, image)


VIEWS: dict[str, View] = {'weak': weak, 'strong': strong}
