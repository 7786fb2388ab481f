"""Losses of two classifiers: how much they disagree."""

import chex
import jax
import jax.numpy as jnp

from tlda.losses._arrays import at_least_float32


def classifier_discrepancy(logits: jax.Array, other_logits: jax.Array) -> jax.Array:
  """Measures how much two classifiers disagree about an example.

  It is the mean over classes of the absolute difference of their probabilities. See "Maximum
  classifier discrepancy for unsupervised domain adaptation" by Saito et al., 2018
  (https://arxiv.org/abs/1712.02560).

  Kind: paired rows.
  Minimum: 0, where the two predict the same; at most `2 / classes`.

  Args:
    logits: `[batch, classes]`, one classifier's unnormalised log-probabilities.
    other_logits: `[batch, classes]`, the other's for the same examples.

  Returns:
    `[batch]`.
  """
  chex.assert_rank([logits, other_logits], 2)
  chex.assert_type([logits, other_logits], float)
  chex.assert_equal_shape([logits, other_logits])
  gap = _probabilities(logits) - _probabilities(other_logits)
  return jnp.mean(jnp.abs(gap), axis=1)


def _probabilities(logits: jax.Array) -> jax.Array:
  return jax.nn.softmax(at_least_float32(logits), axis=1)
