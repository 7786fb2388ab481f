"""Squared distances between rows, and their typical size."""

import jax
import jax.numpy as jnp
from jax import lax


def squared_distances(x: jax.Array, y: jax.Array) -> jax.Array:
  """Returns `[n, m]` squared Euclidean distances of rows `[n, d]` and `[m, d]`.

  One matrix product, of rows less their mean: less is lost where large products cancel.
  """
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
