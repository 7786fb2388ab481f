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
  largest = slice(-singular_values, None)
  return sum(_squared(at_least_float32(x), largest) for x in (source, target))


def batch_spectral_shrinkage(features: jax.Array, *, singular_values: int = 1) -> jax.Array:
  """Sums the squares of the smallest singular values of a batch of features.

  Their directions are those that transfer least from a pretrained network to a task of few labels;
  it keeps them from being used. See "Catastrophic forgetting meets negative transfer: Batch
  spectral shrinkage for safe transfer learning" by Chen et al., 2019, equation 5.

  Kind: one sample.
  Minimum: 0, where the features span fewer dimensions than they could.

  Args:
    features: `[batch, features]`.
    singular_values: How many, the smallest first, of the lesser of `batch` and `features`.

  Returns:
    A scalar.
  """
  chex.assert_rank(features, 2)
  chex.assert_type(features, float)
  chex.assert_scalar_positive(singular_values)
  return _squared(at_least_float32(features), slice(singular_values))


def _squared(x: jax.Array, which: slice) -> jax.Array:
  """Returns the sum of some squared singular values, of which the smallest is the first.

  They are `|x v|^2` for the right singular vectors v. With these held the gradient is exact (v is
  a stationary point), and finite where singular values are equal, which that of a decomposition is
  not. The decomposition is of the smaller of the two Gram matrices.
  """
  x = x if x.shape[0] >= x.shape[1] else x.T
  gram = jnp.matmul(x.T, x, precision=lax.Precision.HIGHEST)
  _, vectors = jnp.linalg.eigh(lax.stop_gradient(gram))
  projected = jnp.matmul(x, vectors[:, which], precision=lax.Precision.HIGHEST)
  return jnp.sum(projected**2)
