"""Linear algebra that several baselines share, of rows that are examples."""

import functools

import jax
import jax.numpy as jnp


@jax.jit
def squared_distances(x: jax.Array, y: jax.Array) -> jax.Array:
  """Returns the squared Euclidean distances `[n, m]` of rows `[n, d]` and `[m, d]`."""
  center = jnp.mean(y, axis=0)  # Less is lost where large products cancel.
  x, y = x - center, y - center
  squares = jnp.sum(x**2, axis=1)[:, None] + jnp.sum(y**2, axis=1)[None]
  return jnp.maximum(squares - 2 * x @ y.T, 0)


@jax.jit
def gaussian(x: jax.Array, y: jax.Array, squared_width: jax.Array | float) -> jax.Array:
  """Returns the kernel `exp(-|x - y|^2 / (2 squared_width))`, `[n, m]`."""
  return jnp.exp(-squared_distances(x, y) / (2 * squared_width))


@jax.jit
def median_squared_distance(x: jax.Array) -> jax.Array:
  """Returns the median of the squared distances between rows `[n, d]`; 1 where that is 0."""
  median = jnp.median(squared_distances(x, x))
  return jnp.where(median > 0, median, 1.0)


@jax.jit
def unit(x: jax.Array) -> jax.Array:
  """Returns rows of length 1; a row of zeros stays."""
  lengths = jnp.linalg.norm(x, axis=1, keepdims=True)
  return x / jnp.where(lengths > 0, lengths, 1.0)


def leading(x: jax.Array, dimension: int) -> jax.Array:
  """Returns the first right singular vectors of rows, by the eigenvectors of the smaller Gram.

  Args:
    x: `[n, d]`.
    dimension: How many, at most the smaller of n and d.

  Returns:
    `[d, dimension]`, orthogonal columns of length 1, the largest singular value first; zeros where
    x has no further direction.
  """
  n, d = x.shape
  small = x.T @ x if d <= n else x @ x.T
  values, vectors = jnp.linalg.eigh(small)
  values, vectors = values[::-1][:dimension], vectors[:, ::-1][:, :dimension]
  there = values > jnp.finfo(x.dtype).eps * max(n, d) * jnp.maximum(values[0], 1e-300)
  if d > n:
    vectors = x.T @ vectors / jnp.sqrt(jnp.where(there, values, 1.0))
  return jnp.where(there, vectors, 0.0)


@functools.partial(jax.jit, static_argnames='dimension')
def principal_axes(x: jax.Array, dimension: int) -> jax.Array:
  """Returns the directions in which rows `[n, d]` vary most, `[d, dimension]`; see `leading`."""
  return leading(x - jnp.mean(x, axis=0), dimension)


@functools.partial(jax.jit, static_argnames='exponent')
def power(matrix: jax.Array, exponent: float) -> jax.Array:
  """Returns a power of a symmetric matrix `[d, d]` with eigenvalues above 0, or 0 but for rounding.

  Args:
    matrix: `[d, d]`.
    exponent: Below 0 only where no eigenvalue is 0.
  """
  values, vectors = jnp.linalg.eigh(matrix)
  return (vectors * jnp.maximum(values, 0.0) ** exponent) @ vectors.T
