"""The depthwise convolution, in a form that suits a CPU."""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax
from jax.custom_derivatives import SymbolicZero

# How many parts of an image batch are added up before the kernel's gradient is reduced.
_PARTS = 16


class DepthwiseConv(nn.Module):
  """A square convolution of each channel by itself, without bias, padded as TensorFlow's 'SAME'.

  Its parameter `kernel` is `[side, side, 1, channels]`, as that of a grouped `nn.Conv`.

  Attributes:
    side: The side of the kernel, in pixels.
    stride: The distance between windows, in pixels.
  """

  side: int
  stride: int = 1

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Returns `[batch, ceil(height / stride), ceil(width / stride), channels]` of images."""
    shape = (self.side, self.side, 1, x.shape[-1])
    init = nn.initializers.variance_scaling(2.0, 'fan_in', 'normal')
    x, kernel = nn.dtypes.promote_dtype(x, self.param('kernel', init, shape))
    return convolve(x, kernel, self.stride)


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def convolve(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
  """Convolves each channel by itself, as `lax.conv_general_dilated` does with as many groups.

  XLA's grouped convolution on a CPU is 10 to 100 times slower than adding up shifted images, each
  multiplied by one pixel of the kernel: there this is what is done.

  Args:
    x: `[batch, height, width, channels]`.
    kernel: `[rows, columns, 1, channels]`.
    stride: The distance between windows, in pixels.

  Returns:
    `[batch, ceil(height / stride), ceil(width / stride), channels]`.
  """
  gathered, grouped = (functools.partial(f, stride=stride) for f in (_gathered, _grouped))
  return lax.platform_dependent(x, kernel, cpu=gathered, default=grouped)


def _convolve_jvp(stride: int, primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> Any:
  (x, kernel), (dx, dkernel) = primals, tangents
  scattered, spread, grouped = (
    functools.partial(f, stride=stride) for f in (_scattered, _spread, _grouped)
  )
  terms = []
  if not isinstance(dx, SymbolicZero):
    terms.append(lax.platform_dependent(dx, kernel, cpu=scattered, default=grouped))
  if not isinstance(dkernel, SymbolicZero):
    terms.append(lax.platform_dependent(x, dkernel, cpu=spread, default=grouped))
  return convolve(x, kernel, stride), sum(terms)


convolve.defjvp(_convolve_jvp, symbolic_zeros=True)


def _grouped(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
  return lax.conv_general_dilated(
    x,
    kernel,
    (stride, stride),
    'SAME',
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
    feature_group_count=x.shape[-1],
  )


def _padding(x: jax.Array, kernel: jax.Array, stride: int) -> list[tuple[int, int]]:
  """Returns how many rows and columns go before and behind."""
  return lax.padtype_to_pads(x.shape[1:3], kernel.shape[:2], (stride, stride), 'SAME')


def _taps(kernel: jax.Array) -> list[tuple[int, int, jax.Array]]:
  """Returns row, column and `[channels]` of each pixel of a kernel."""
  rows, columns = kernel.shape[:2]
  return [(row, column, kernel[row, column, 0]) for row in range(rows) for column in range(columns)]


def _shifted(x: jax.Array, kernel: jax.Array, stride: int) -> list[tuple[jax.Array, jax.Array]]:
  """Returns what each pixel of the kernel sees, in all windows, and the pixel's values."""
  height, width = (-(-side // stride) * stride for side in x.shape[1:3])
  x = jnp.pad(x, ((0, 0), *_padding(x, kernel, stride), (0, 0)))
  return [
    (x[:, row : row + height : stride, column : column + width : stride], values)
    for row, column, values in _taps(kernel)
  ]


def _gathered(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
  """Adds up shifted images."""
  return sum(seen * values for seen, values in _shifted(x, kernel, stride))


def _scattered(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
  """Does the same by adding each pixel to what it reaches: the transpose adds shifted images."""
  rows, columns = kernel.shape[:2]
  zero = jnp.zeros((), x.dtype)
  full = sum(
    lax.pad(
      x * values,
      zero,
      ((0, 0, 0), (rows - 1 - row, row, 0), (columns - 1 - column, column, 0), (0, 0, 0)),
    )
    for row, column, values in _taps(kernel)
  )
  (top, bottom), (left, right) = _padding(x, kernel, stride)
  height, width = full.shape[1:3]
  return full[
    :,
    rows - 1 - top : height - (rows - 1 - bottom) : stride,
    columns - 1 - left : width - (columns - 1 - right) : stride,
  ]


def _spread(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
  """Does the same with the kernel's pixels laid out by doubling: the transpose adds up halves.

  So most of the sum over batch and pixels in the kernel's gradient is fused with what is summed,
  which XLA's reductions on a CPU are not.
  """
  return sum(seen * _laid_out(values, seen.shape) for seen, values in _shifted(x, kernel, stride))


def _laid_out(values: jax.Array, shape: tuple[int, ...]) -> jax.Array:
  """Broadcasts `[channels]` to `[batch, height, width, channels]`."""
  doublings, small = [], list(shape)
  for axis in (0, 1):
    while small[axis] % 2 == 0 and 2 ** len(doublings) < _PARTS:
      small[axis] //= 2
      doublings.append(axis)
  values = jnp.broadcast_to(values, small)
  for axis in reversed(doublings):
    values = jnp.concatenate([values, values], axis)
  return values
