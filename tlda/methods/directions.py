"""Features by their direction alone."""

import jax
import jax.numpy as jnp


def unit(rows: jax.Array) -> jax.Array:
  """Returns rows `[batch, d]` divided by their norms; one of zeros stays, and has no gradient."""
  squares = jnp.sum(jnp.square(rows), axis=1, keepdims=True)
  # The norm itself has no derivative at 0, and a bound below it alone would leave one of 1e12.
  return jnp.where(squares > 1e-24, rows, 0) * jax.lax.rsqrt(jnp.maximum(squares, 1e-24))
