"""Losses of unlabelled predictions: how unsure they are."""

import chex
import jax
import jax.numpy as jnp

from tlda.losses._arrays import at_least_float32


def entropy(logits: jax.Array) -> jax.Array:
  """Measures how unsure a prediction is.

  Minimised on unlabelled examples, it moves the decision boundary away from them. See
  "Semi-supervised learning by entropy minimization" by Grandvalet and Bengio, 2004.

  Kind: per example.
  Minimum: 0, where one class has all the mass.

  Args:
    logits: `[batch, classes]`, unnormalised log-probabilities.

  Returns:
    `[batch]`, in nats, at most `log(classes)`.
  """
  chex.assert_rank(logits, 2)
  chex.assert_type(logits, float)
  log_probabilities = jax.nn.log_softmax(at_least_float32(logits))
  return -jnp.sum(jnp.exp(log_probabilities) * log_probabilities, axis=1)
