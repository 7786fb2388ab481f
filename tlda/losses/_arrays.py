"""What several losses do to their arguments first."""

import jax
import jax.numpy as jnp


def at_least_float32(x: jax.Array) -> jax.Array:
  """Casts half precision to float32, in which exponentials and sums are taken; float64 stays."""
  return x.astype(jnp.promote_types(x.dtype, jnp.float32))
