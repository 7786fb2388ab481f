"""Losses by which Wasserstein distances are estimated."""

import chex
import jax
import jax.numpy as jnp

from tlda.losses._arrays import at_least_float32


def gradient_penalty(gradients: jax.Array) -> jax.Array:
  """Measures how far a critic's slope is from 1, the greatest that its distance allows.

  See "Improved training of Wasserstein GANs" by Gulrajani et al., 2017
  (https://arxiv.org/abs/1704.00028).

  Kind: per example.
  Minimum: 0, where each gradient has norm 1.

  Args:
    gradients: `[batch, features]`, the critic's gradient with respect to each of its inputs.

  Returns:
    `[batch]`, the squared difference between 1 and the gradient's norm. Where a gradient is 0,
    where the norm has no slope, its own is 0.
  """
  chex.assert_rank(gradients, 2)
  chex.assert_type(gradients, float)
  squares = jnp.sum(jnp.square(at_least_float32(gradients)), axis=1)
  norms = jnp.sqrt(jnp.where(squares > 0, squares, 1.0))
  return jnp.square(jnp.where(squares > 0, norms, 0.0) - 1.0)
