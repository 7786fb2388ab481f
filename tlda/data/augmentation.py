"""Augmented views of an example, drawn on the device by a key of its own.

Each view is a function `(key, inputs) -> inputs` of one example before the mean is subtracted: an
image `[height, width, channels]` with values in [0, 1], or a feature vector `[features]`. Keyed by
an example's place in the global batch, a view does not depend on the number of devices.

No view mirrors an image: digits and letters have a handedness.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp

View = Callable[[jax.Array, jax.Array], jax.Array]

# The largest shift and the side of the hole, as shares of a side; what the hole is filled with.
SHIFT, HOLE, GREY = 0.125, 0.5, 0.5
# The share of a vector's entries that a weak view loses, and a strong one.
WEAK_LOSS, STRONG_LOSS = 0.1, 0.5


def weak(key: jax.Array, inputs: jax.Array) -> jax.Array:
  """Shifts an image by up to an eighth of its side, the border repeated.

  The weak view of Sohn et al. (2020), FixMatch, without its flips. Of a vector, a tenth of the
  entries are set to 0, by chance.

  Args:
    key: Random key.
    inputs: `[height, width, channels]` or `[features]`, float.

  Returns:
    The view, of the same shape and dtype.
  """
  if inputs.ndim != 3:
    return _dropped(key, inputs, WEAK_LOSS)
  height, width, channels = inputs.shape
  pad_y, pad_x = max(1, round(SHIFT * height)), max(1, round(SHIFT * width))
  padded = jnp.pad(inputs, ((pad_y, pad_y), (pad_x, pad_x), (0, 0)), mode='edge')
  places = jax.random.uniform(key, (2,)) * jnp.array([2 * pad_y + 1, 2 * pad_x + 1])
  top, left = places.astype(int)
  return jax.lax.dynamic_slice(padded, (top, left, 0), (height, width, channels))


def strong(key: jax.Array, inputs: jax.Array) -> jax.Array:
  """Shifts an image, changes it by two random operations, and cuts a grey square out of it.

  The strong view of Sohn et al. (2020), FixMatch: RandAugment (Cubuk et al., 2020), whose
  operations and their strengths are drawn anew for each image, then Cutout (DeVries and Taylor,
  2017) with a side of half the image's. Of the paper's operations equalisation is left out. What
  moves pixels is done after what changes colours, with the shift in a single interpolation. Of a
  vector, half of the entries are set to 0, by chance.

  Args:
    key: Random key.
    inputs: `[height, width, channels]` in [0, 1], or `[features]`, float.

  Returns:
    The view, of the same shape and dtype.
  """
  if inputs.ndim != 3:
    return _dropped(key, inputs, STRONG_LOSS)
  numbers = jax.random.uniform(key, (8,))
  shift = _shift(2 * numbers[:2] - 1)
  image, warp = operated(inputs.astype(jnp.float32), shift, numbers[2:6])
  return _cut(warped(image, warp), numbers[6:]).astype(inputs.dtype)


def slight(key: jax.Array, inputs: jax.Array) -> jax.Array:
  """Turns an image by up to 15 degrees, moves it by up to a sixteenth, and scales it by up to 1.1.

  The affine part of the augmentation of Wang et al. (2022), CoTTA: what a network that was trained
  without augmentation still knows. Of a vector, a tenth of the entries are set to 0, by chance.

  Args:
    key: Random key.
    inputs: `[height, width, channels]` or `[features]`, float.

  Returns:
    The view, of the same shape and dtype.
  """
  if inputs.ndim != 3:
    return _dropped(key, inputs, WEAK_LOSS)
  turn, scale, down, right = jax.random.uniform(key, (4,), minval=-1)
  cos, sin = jnp.cos(jnp.deg2rad(15) * turn), jnp.sin(jnp.deg2rad(15) * turn)
  size = 1 + 0.1 * scale
  warp = [[size * cos, -size * sin, down / 8], [size * sin, size * cos, right / 8], [0, 0, 1]]
  return warped(inputs.astype(jnp.float32), jnp.array(warp)).astype(inputs.dtype)


def operated(image: jax.Array, warp: jax.Array, numbers: jax.Array) -> tuple[jax.Array, jax.Array]:
  """Changes an image by two random operations of RandAugment: colours now, places in the warp.

  Args:
    image: `[height, width, channels]` in [0, 1].
    warp: `[3, 3]`, how pixels are moved besides, see `warped`.
    numbers: `[4]` in [0, 1), drawn at random: which two operations, and how strong each is.

  Returns:
    The image, and the warp that is still to be made.
  """
  for choice, strength in zip(numbers[:2], numbers[2:], strict=True):
    operation = (choice * (WARPS + len(COLOURS))).astype(int)
    image = jax.lax.switch(jnp.maximum(operation - WARPS, 0), COLOURS, image, strength)
    warp = warp @ _warp(operation, 2 * strength - 1)
  return image, warp


def _dropped(key: jax.Array, vector: jax.Array, share: float) -> jax.Array:
  return jnp.where(jax.random.bernoulli(key, share, vector.shape), 0, vector)


# Colours: `(image, strength in [0, 1]) -> image`, in the ranges of the FixMatch paper.


def _same(image: jax.Array, strength: jax.Array) -> jax.Array:
  del strength
  return image


def _blend(other: jax.Array, image: jax.Array, strength: jax.Array) -> jax.Array:
  """Leaves of the image 0.05 to 0.95 of what sets it apart from `other`."""
  return other + (0.05 + 0.9 * strength) * (image - other)


def _grey(image: jax.Array) -> jax.Array:
  weights = jnp.array([0.299, 0.587, 0.114]) if image.shape[-1] == 3 else 1 / image.shape[-1]
  return jnp.sum(weights * image, axis=-1, keepdims=True)


def _autocontrast(image: jax.Array, strength: jax.Array) -> jax.Array:
  del strength
  low, high = image.min((0, 1)), image.max((0, 1))
  return jnp.where(high > low, (image - low) / jnp.where(high > low, high - low, 1), image)


def _brightness(image: jax.Array, strength: jax.Array) -> jax.Array:
  return _blend(jnp.zeros_like(image), image, strength)


def _saturation(image: jax.Array, strength: jax.Array) -> jax.Array:
  return _blend(_grey(image), image, strength)


def _contrast(image: jax.Array, strength: jax.Array) -> jax.Array:
  return _blend(jnp.mean(_grey(image)), image, strength)


def _posterize(image: jax.Array, strength: jax.Array) -> jax.Array:
  levels = 2.0 ** jnp.floor(4 + 5 * strength)  # 4 to 8 bits.
  return jnp.floor(image * levels) / levels


def _sharpness(image: jax.Array, strength: jax.Array) -> jax.Array:
  height, width, _ = image.shape
  padded = jnp.pad(image, ((1, 1), (1, 1), (0, 0)), mode='edge')
  nine = [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]
  return _blend((sum(nine) + 4 * image) / 13, image, strength)


def _solarize(image: jax.Array, strength: jax.Array) -> jax.Array:
  return jnp.where(image < strength, image, 1 - image)


def _warp(operation: jax.Array, strength: jax.Array) -> jax.Array:
  """Returns how an operation moves pixels, in the ranges of the FixMatch paper.

  Args:
    operation: int scalar; 0 to 4 turn, shear along y or x, and move along y or x; others nothing.
    strength: Scalar in [-1, 1].

  Returns:
    `[3, 3]`, from a place in the view to one in the image: (y, x, 1) in half sides from the centre.
  """
  turn, shear_y, shear_x, move_y, move_x = jnp.where(operation == jnp.arange(WARPS), strength, 0)
  cos, sin = jnp.cos(jnp.deg2rad(30) * turn), jnp.sin(jnp.deg2rad(30) * turn)
  y, x = [cos, 0.3 * shear_y - sin, 0.6 * move_y], [0.3 * shear_x + sin, cos, 0.6 * move_x]
  return jnp.array([y, x, [0, 0, 1]])


def _shift(strengths: jax.Array) -> jax.Array:
  return jnp.eye(3).at[:2, 2].set(2 * SHIFT * strengths)


WARPS = 5
COLOURS = (  # The first of them is what a warp does to colours.
  _same,
  _autocontrast,
  _brightness,
  _saturation,
  _contrast,
  _posterize,
  _sharpness,
  _solarize,
)


def warped(image: jax.Array, warp: jax.Array) -> jax.Array:
  """Looks each pixel up where `warp` sends it, between its four neighbours; borders repeated.

  Args:
    image: `[height, width, channels]`.
    warp: `[3, 3]`, from a place in the result to one in the image: (y, x, 1) in half sides from the
      centre, where -1 and 1 are the centres of the outermost pixels.

  Returns:
    `[height, width, channels]`.
  """
  half = (jnp.array(image.shape[:2]) - 1) / 2
  ys, xs = (jnp.linspace(-1, 1, size) for size in image.shape[:2])
  places = jnp.stack([*jnp.meshgrid(ys, xs, indexing='ij'), jnp.ones(image.shape[:2])])
  found = jnp.tensordot(warp[:2], places, 1)
  found = jnp.clip((found + 1) * half[:, None, None], 0, 2 * half[:, None, None])
  look = lambda channel: jax.scipy.ndimage.map_coordinates(channel, list(found), 1, 'nearest')
  return jax.vmap(look, -1, -1)(image)


def _cut(image: jax.Array, centre: jax.Array) -> jax.Array:
  near = [
    jnp.abs((jnp.arange(size) + 0.5) / size - middle) < HOLE / 2
    for size, middle in zip(image.shape[:2], centre, strict=True)
  ]
  return jnp.where((near[0][:, None] & near[1][None, :])[..., None], GREY, image)


VIEWS: dict[str, View] = {'weak': weak, 'slight': slight, 'strong': strong}
