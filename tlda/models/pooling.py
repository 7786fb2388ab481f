"""Pooling that is fast on a CPU too, and to any size."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def max_pool(x: jax.Array, window: int, stride: int, padding: int = 0) -> jax.Array:
  """Takes the maximum over square windows; rows and columns that fill no window are left out.

  Where a window holds its maximum several times, the first (row by row) gets the gradient. The
  maximum and its place are found by comparing as many strided slices as a window has pixels, and
  the gradient is sent back to the place: on a CPU this is several times faster than
  `lax.reduce_window`, with the same result.

  Args:
    x: `[batch, height, width, channels]`, of a floating dtype.
    window: The side of a window, in pixels.
    stride: The distance between windows, in pixels.
    padding: How many pixels of minus infinity are put around the image.

  Returns:
    `[batch, (height + 2 padding - window) // stride + 1, ..., channels]`.
  """
  if padding:
    edges = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    x = jnp.pad(x, edges, constant_values=-jnp.inf)
  return _maximum(x, window, stride)[0]


def _places(x: jax.Array, window: int, stride: int) -> list[jax.Array]:
  """Returns each pixel of a window, in all windows: `[batch, rows, columns, channels]` each."""
  height, width = ((side - window) // stride * stride + 1 for side in x.shape[1:3])
  return [
    x[:, row : row + height : stride, column : column + width : stride]
    for row in range(window)
    for column in range(window)
  ]


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def _maximum(x: jax.Array, window: int, stride: int) -> tuple[jax.Array, jax.Array]:
  """Returns the maximum of each window, and which of its pixels is the first to have it (int8)."""
  places = _places(x, window, stride)
  maximum = functools.reduce(jnp.maximum, places)
  winner = jnp.full(maximum.shape, len(places) - 1, jnp.int8)
  for place in reversed(range(len(places) - 1)):
    winner = jnp.where(places[place] == maximum, jnp.int8(place), winner)
  # Kept as they are, for XLA would rather find the winners again in each pixel's gradient.
  return lax.optimization_barrier((maximum, winner))


@_maximum.defjvp
def _maximum_jvp(
  window: int, stride: int, primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[tuple[jax.Array, jax.Array], tuple[jax.Array, np.ndarray]]:
  maximum, winner = _maximum(*primals, window, stride)
  send = _from_blocks if window == stride else _from_places
  tangent = send(*tangents, winner, window, stride)
  return (maximum, winner), (tangent, np.zeros(winner.shape, jax.dtypes.float0))


def _from_places(x: jax.Array, winner: jax.Array, window: int, stride: int) -> jax.Array:
  """Returns the pixel of each window that won."""
  places = enumerate(_places(x, window, stride))
  return sum(jnp.where(winner == place, values, 0) for place, values in places)


def _from_blocks(x: jax.Array, winner: jax.Array, window: int, stride: int) -> jax.Array:
  """Does the same of windows that do not overlap: the gradient is written once, and not padded."""
  del stride
  batch, rows, columns, channels = winner.shape
  whole = x[:, : rows * window, : columns * window]
  blocks = whole.reshape(batch, rows, window, columns, window, channels)
  place = jnp.arange(window**2, dtype=jnp.int8).reshape(window, 1, window, 1)
  return jnp.where(winner[:, :, None, :, None] == place, blocks, 0).sum((2, 4))


def average_pool(x: jax.Array, side: int) -> jax.Array:
  """Averages images over `side * side` regions of about equal size, which cover them.

  Region `i` of an image of `n` rows is those from `floor(i n / side)` to `ceil((i + 1) n / side)`,
  the last not included: neighbours may share a row, and of a small image regions repeat pixels.
  This is PyTorch's adaptive average pooling.

  Args:
    x: `[batch, height, width, channels]`.
    side: The number of rows, and of columns, of the result.

  Returns:
    `[batch, side, side, channels]`.
  """
  if x.shape[1:3] == (side, side):
    return x
  rows, columns = (jnp.asarray(_shares(length, side), x.dtype) for length in x.shape[1:3])
  return jnp.einsum('ih,nhwc,jw->nijc', rows, x, columns, precision=lax.Precision.HIGHEST)


def _shares(length: int, side: int) -> np.ndarray:
  """Returns `[side, length]`: which share each pixel has in each region."""
  shares = np.zeros((side, length))
  for region in range(side):
    first, last = region * length // side, -(-(region + 1) * length // side)
    shares[region, first:last] = 1 / (last - first)
  return shares
