"""Losses of a network that teaches itself on unlabelled examples."""

import chex
import jax
import jax.numpy as jnp

from tlda.losses._arrays import at_least_float32
from tlda.losses.classification import cross_entropy


def confident_cross_entropy(
  weak_logits: jax.Array, strong_logits: jax.Array, *, threshold: float = 0.95
) -> jax.Array:
  """Scores a prediction against the class that a weaker view of the same example is sure of.

  Where the weak view is less sure than the threshold, the loss is 0. See "FixMatch: Simplifying
  semi-supervised learning with consistency and confidence" by Sohn et al., 2020
  (https://arxiv.org/abs/2001.07685), equation 4. With one array for both views and no threshold it
  is that of "Pseudo-label" by Lee, 2013.

  Kind: paired rows.
  Minimum: 0, where the strong view gives the label all the mass, or the weak view is unsure.

  Args:
    weak_logits: `[batch, classes]`, of the view that gives the labels; no gradient goes there.
    strong_logits: `[batch, classes]`, of the view that learns them.
    threshold: The smallest probability of a class, in `[0, 1]`, that makes it a label.

  Returns:
    `[batch]`, in nats.
  """
  chex.assert_rank([weak_logits, strong_logits], 2)
  chex.assert_type([weak_logits, strong_logits], float)
  chex.assert_equal_shape([weak_logits, strong_logits])
  probabilities = jax.lax.stop_gradient(jax.nn.softmax(at_least_float32(weak_logits)))
  is_sure = jnp.max(probabilities, axis=1) >= threshold
  return is_sure * cross_entropy(strong_logits, jnp.argmax(probabilities, axis=1))
