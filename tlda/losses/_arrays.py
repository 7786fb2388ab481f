"""What several losses do to their arguments first."""

import chex
import jax
import jax.numpy as jnp


def at_least_float32(x: jax.Array) -> jax.Array:
  """Casts half precision to float32, in which exponentials and sums are taken; float64 stays."""
  return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def shares(weights: jax.Array | None, rows: jax.Array) -> jax.Array:
  """Returns the share of each row, `[rows]`, of sum 1: equal shares where there are no weights."""
  if weights is None:
    return jnp.full(len(rows), 1 / len(rows), at_least_float32(rows).dtype)
  chex.assert_rank(weights, 1)
  chex.assert_type(weights, float)
  chex.assert_equal_shape_prefix([weights, rows], 1)
  weights = at_least_float32(weights)
  return weights / jnp.sum(weights)


def check_samples(source: jax.Array, target: jax.Array) -> None:
  """Refuses what is no two samples `[examples, features]` of as many features."""
  chex.assert_rank([source, target], 2)
  chex.assert_type([source, target], float)
  chex.assert_equal_shape_suffix([source, target], 1)


def row_norms(x: jax.Array) -> jax.Array:
  """Returns the Euclidean norm of each row, `[rows]`, whose gradient is 0 at 0."""
  squared = jnp.sum(x**2, axis=1)
  return jnp.where(squared > 0, jnp.sqrt(jnp.where(squared > 0, squared, 1)), 0)


def nuclear_norm(x: jax.Array) -> jax.Array:
  """Returns the sum of singular values of `[n, m]`, whose gradient is finite where some are equal.

  Those that are zero to rounding get none: theirs has no direction of its own.
  """
  values = jnp.linalg.svd(x, compute_uv=False)
  bound = max(x.shape) * jnp.finfo(values.dtype).eps * values[0]
  return jnp.sum(jnp.where(values > bound, values, 0.0))
