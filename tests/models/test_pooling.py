"""Pooling: against NumPy, and who gets the gradient of a tie."""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.models import numpy_layers
from tlda.models import max_pool
from tlda.models.pooling import average_pool


@pytest.mark.parametrize(
  ('side', 'window', 'stride', 'padding'),
  [(8, 2, 2, 0), (9, 2, 2, 0), (9, 3, 3, 0), (11, 3, 2, 0), (12, 3, 2, 0), (8, 3, 2, 1)],
)
def test_equals_numpy(side: int, window: int, stride: int, padding: int) -> None:
  x = np.random.default_rng(0).normal(size=(2, side, side, 3)).astype(np.float32)
  expected = numpy_layers.max_pool(x, window, stride, padding)
  np.testing.assert_array_equal(max_pool(x, window, stride, padding), expected)


@pytest.mark.parametrize(
  ('window', 'stride', 'padding'), [(2, 2, 0), (4, 4, 0), (3, 3, 1), (3, 2, 0), (3, 2, 1)]
)
def test_the_gradient_goes_to_the_maxima(window: int, stride: int, padding: int) -> None:
  rng = np.random.default_rng(1)
  x = rng.permutation(2 * 9 * 9 * 3).reshape(2, 9, 9, 3).astype(np.float32)
  shape = numpy_layers.max_pool(x, window, stride, padding).shape
  weights = rng.normal(size=shape).astype(np.float32)
  gradient = jax.grad(lambda x: jnp.sum(weights * max_pool(x, window, stride, padding)))(x)
  expected = np.zeros_like(x)
  for n, i, j, c in np.ndindex(*shape):
    rows = slice(max(i * stride - padding, 0), i * stride - padding + window)
    columns = slice(max(j * stride - padding, 0), j * stride - padding + window)
    tile = x[n, rows, columns, c]
    expected[n, rows, columns, c] += weights[n, i, j, c] * (tile == tile.max())
  np.testing.assert_allclose(gradient, expected, atol=1e-6)


@pytest.mark.parametrize(('window', 'stride', 'padding'), [(2, 2, 0), (3, 2, 0), (3, 2, 1)])
def test_a_tie_goes_to_the_first_as_in_reduce_window(
  window: int, stride: int, padding: int
) -> None:
  x = jnp.asarray(np.random.default_rng(2).integers(0, 3, (2, 9, 9, 3)), jnp.float32)

  def library(x: jax.Array) -> jax.Array:
    return nn.max_pool(x, (window, window), (stride, stride), [(padding, padding)] * 2)

  y, pullback = jax.vjp(lambda x: max_pool(x, window, stride, padding), x)
  expected, expected_pullback = jax.vjp(library, x)
  np.testing.assert_array_equal(y, expected)
  weights = jnp.arange(y.size, dtype=jnp.float32).reshape(y.shape)
  np.testing.assert_array_equal(pullback(weights)[0], expected_pullback(weights)[0])


def test_derivatives_of_both_modes_and_of_second_order() -> None:
  x = jnp.array(np.random.default_rng(3).permutation(32), jnp.float32).reshape(1, 4, 4, 2)
  top = numpy_layers.max_pool(np.asarray(x), 2, 2)
  is_top = np.asarray(x) == top.repeat(2, axis=1).repeat(2, axis=2)

  def cubes(x: jax.Array) -> jax.Array:
    return jnp.sum(max_pool(x, 2, 2) ** 3)

  _, slope = jax.jvp(cubes, (x,), (x,))
  np.testing.assert_allclose(slope, np.sum(3 * top**3), rtol=1e-5)
  second = jax.grad(lambda x: jnp.sum(jax.grad(cubes)(x)))(x)
  np.testing.assert_allclose(second, 6 * np.asarray(x) * is_top, rtol=1e-5)


def test_dtype_is_kept() -> None:
  assert max_pool(jnp.ones((1, 4, 4, 1), jnp.bfloat16), 2, 2).dtype == jnp.bfloat16


@pytest.mark.parametrize(('height', 'width'), [(7, 7), (14, 21), (2, 3), (8, 10)])
def test_regions_are_averaged(height: int, width: int) -> None:
  """By hand for each region: from the pixel that it begins in to the one that it ends in."""
  x = np.random.default_rng(0).normal(size=(2, height, width, 3)).astype(np.float32)
  expected = np.empty((2, 7, 7, 3))
  for row in range(7):
    for column in range(7):
      rows = slice(math.floor(row * height / 7), math.ceil((row + 1) * height / 7))
      columns = slice(math.floor(column * width / 7), math.ceil((column + 1) * width / 7))
      expected[:, row, column] = x[:, rows, columns].mean((1, 2))
  np.testing.assert_allclose(average_pool(x, 7), expected, rtol=1e-5, atol=1e-6)


def test_averaging_stays_bfloat16() -> None:
  assert average_pool(jnp.ones((1, 4, 4, 2), jnp.bfloat16), 7).dtype == jnp.bfloat16
