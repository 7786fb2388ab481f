"""Losses of the singular values of a batch of features."""

import chex
import jax
import jax.numpy as jnp
from jax import lax

from tlda.losses._arrays import at_least_float32, check_samples


def batch_spectral_penalty(
  source: jax.Array, target: jax.Array, *, singular_values: int = 1
) -> jax.Array:
  """Sums the squares of the largest singular values of two batches of features.

  It keeps a few directions, in which domains are easily aligned, from holding all there is. See
  "Transferability vs. discriminability: Batch spectral penalization for adversarial domain
  adaptation" by Chen et al., 2019 (https://proceedings.mlr.press/v97/chen19i.html).

  Kind: two samples.
  Minimum: 0, where all features are 0.

  Args:
    source: `[source examples, features]`.
    target: `[target examples, features]`.
    singular_values: How many of each batch, the largest first.

  Returns:
    A scalar.
  """
  check_samples(source, target)
  chex.assert_scalar_positive(singular_values)
  return sum(_largest(at_least_float32(x), singular_values) for x in (source, target))


def _largest(x: jax.Array, count: int) -> jax.Array:
  """Returns the sum of the `count` largest squared singular values.

  They are `|x v|^2` for the right singular vectors v. With these held the gradient is exact (v is
  a stationary point), and finite where singular values are equal, which that of a decomposition is
  not. The decomposition is of the smaller of the two Gram matrices.
  """
  x = x if x.shape[0] >= x.shape[1] else x.T
  gram = jnp.matmul(x.T, x, precision=lax.Precision.HIGHEST)
  _, vectors = jnp.linalg.eigh(lax.stop_gradient(gram))
  projected = jnp.matmul(x, vectors[:, -count:], precision=lax.Precision.HIGHEST)
  return jnp.sum(projected**2)
