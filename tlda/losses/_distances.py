"""Squared distances between rows, their typical size, and kernels of them."""

import chex
import jax
import jax.numpy as jnp
from jax import lax

from tlda.losses._arrays import at_least_float32


def squared_distances(x: jax.Array, y: jax.Array) -> jax.Array:
  """Returns `[n, m]` squared Euclidean distances of rows `[n, d]` and `[m, d]`.

  One matrix product, of rows less their mean: less is lost where large products cancel. Twice, for
  the mean of equal rows may be off by their last digit.
  """
  for _ in range(2):
    center = lax.stop_gradient((jnp.mean(x, axis=0) + jnp.mean(y, axis=0)) / 2)
    x, y = x - center, y - center
  products = jnp.matmul(x, y.T, precision=lax.Precision.HIGHEST)
  distances = jnp.sum(x**2, axis=1)[:, None] + jnp.sum(y**2, axis=1)[None] - 2 * products
  return jnp.maximum(distances, 0)


def held_scale(mean: jax.Array, rows: jax.Array) -> jax.Array:
  """Returns a mean squared distance to divide by; it gets no gradient.

  Where rows are equal the mean is 0, or what rounding makes of it: then it is the square of their
  last digit, or 1 where they are 0.
  """
  rounding = jnp.finfo(rows.dtype).eps ** 2 * jnp.mean(jnp.sum(rows**2, axis=1))
  scale = lax.stop_gradient(jnp.maximum(mean, rounding))
  return jnp.where(scale > 0, scale, 1)


def gaussian_kernels(source: jax.Array, target: jax.Array, kernels: int) -> jax.Array:
  """Returns the mean of Gaussian kernels, `[n, n]`, over the rows of both samples.

  Their widths are powers of 2 around the mean squared distance of all rows, which is held.
  """
  chex.assert_scalar_positive(kernels)
  rows = jnp.concatenate([at_least_float32(source), at_least_float32(target)])
  distances = squared_distances(rows, rows)
  scale = held_scale(jnp.sum(distances) / (len(rows) * (len(rows) - 1)), rows)
  # The widest; its square has half the width, and so on.
  kernel = jnp.exp(-distances / (scale * 2 ** (kernels // 2)))
  total = kernel
  for _ in range(kernels - 1):
    kernel *= kernel
    total += kernel
  return total / kernels
