"""Losses by which Wasserstein distances are estimated."""

import chex
import jax
import jax.numpy as jnp

from tlda.losses._arrays import at_least_float32, nuclear_norm, row_norms


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
  return jnp.square(row_norms(at_least_float32(gradients)) - 1.0)


def nuclear_wasserstein_discrepancy(
  source_probabilities: jax.Array, target_probabilities: jax.Array
) -> jax.Array:
  """Measures how much surer and more diverse the source's predictions are than the target's.

  The nuclear norm (the sum of singular values) of predictions is high where they are certain and
  use all classes; as a critic it is Lipschitz, so that its gap between domains bounds a Wasserstein
  distance from below. See "Reusing the task-specific classifier as a discriminator:
  discriminator-free adversarial domain adaptation" by Chen et al., 2022
  (https://arxiv.org/abs/2204.03838).

  Kind: two samples.
  Minimum: `1 / sqrt(n_s K) - sum_k sqrt(n_k) / n_t`, where the source's predictions are uniform
  over K classes and the target's certain and even, n_k of each class. 0 on equal samples.

  Args:
    source_probabilities: `[source examples, classes]`, predictions for the source.
    target_probabilities: `[target examples, classes]`, predictions for the target.

  Returns:
    A scalar: the difference of the nuclear norms, each divided by its number of examples.
  """
  chex.assert_rank([source_probabilities, target_probabilities], 2)
  chex.assert_type([source_probabilities, target_probabilities], float)
  chex.assert_equal_shape_suffix([source_probabilities, target_probabilities], 1)
  source, target = (
    nuclear_norm(at_least_float32(probabilities)) / len(probabilities)
    for probabilities in (source_probabilities, target_probabilities)
  )
  return source - target
