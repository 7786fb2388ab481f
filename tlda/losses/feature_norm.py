"""Losses of the norms of features, which are small where a network does not know its input."""

import chex
import jax
import jax.numpy as jnp
from jax import lax

from tlda.losses._arrays import at_least_float32, row_norms


def hard_feature_norm(features: jax.Array, *, radius: float = 25.0) -> jax.Array:
  """Draws the mean norm of a sample's features to one radius.

  See "Larger norm more transferable: An adaptive feature norm approach for unsupervised domain
  adaptation" by Xu et al., 2019 (https://arxiv.org/abs/1811.07456).

  Kind: one sample.
  Minimum: 0, where the mean norm is the radius.

  Args:
    features: `[batch, features]`.
    radius: The mean norm to reach.

  Returns:
    A scalar, the squared difference.
  """
  chex.assert_rank(features, 2)
  chex.assert_type(features, float)
  return (jnp.mean(row_norms(at_least_float32(features))) - radius) ** 2


def stepwise_feature_norm(features: jax.Array, *, step: float = 1.0) -> jax.Array:
  """Enlarges the norm of each example's features, whatever it is, by steps.

  The squared difference to the norm as it was, which gets no gradient, and a step. See "Larger
  norm more transferable: An adaptive feature norm approach for unsupervised domain adaptation" by
  Xu et al., 2019 (https://arxiv.org/abs/1811.07456).

  Kind: per example.
  Minimum: 1, its value everywhere, `step^2`: it is the gradient that says something, `-2 step` in
  the norm.

  Args:
    features: `[batch, features]`.
    step: By how much the norm should grow.

  Returns:
    `[batch]`.
  """
  chex.assert_rank(features, 2)
  chex.assert_type(features, float)
  norms = row_norms(at_least_float32(features))
  return (norms - (lax.stop_gradient(norms) + step)) ** 2
