"""Losses of labelled examples."""

import chex
import jax
import jax.numpy as jnp

from tlda.losses._arrays import at_least_float32


def cross_entropy(
  logits: jax.Array, labels: jax.Array, *, label_smoothing: float = 0.0
) -> jax.Array:
  """Measures how many nats the true class costs under the predicted distribution.

  With label smoothing, the true class is a mixture of itself and of all classes alike. See
  "Rethinking the Inception architecture for computer vision" by Szegedy et al., 2016, section 7
  (https://arxiv.org/abs/1512.00567).

  Kind: per example.
  Minimum: 0, where the true class has all the mass; with label smoothing, the entropy of the
  smoothed label.

  Args:
    logits: `[batch, classes]`, unnormalised log-probabilities.
    labels: `[batch]`, integers in `[0, classes)`; for others the loss is not a number.
    label_smoothing: The share of the mass, in `[0, 1)`, that goes to all classes alike.

  Returns:
    `[batch]`, in nats.
  """
  chex.assert_rank([logits, labels], [2, 1])
  chex.assert_type([logits, labels], [float, int])
  chex.assert_equal_shape_prefix([logits, labels], 1)
  log_probabilities = jax.nn.log_softmax(at_least_float32(logits))
  true_class = jnp.take_along_axis(log_probabilities, labels[:, None], axis=1)[:, 0]
  all_classes = jnp.mean(log_probabilities, axis=1)
  return -(1 - label_smoothing) * true_class - label_smoothing * all_classes
