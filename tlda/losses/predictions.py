"""Losses of all predictions for an unlabelled batch at once: sure, and of all classes."""

import chex
import jax
import jax.numpy as jnp

from tlda.losses._arrays import at_least_float32, nuclear_norm


def minimum_class_confusion(
  logits: jax.Array, *, weights: jax.Array | None = None, temperature: float = 2.5
) -> jax.Array:
  """Measures how often predictions hesitate between two classes.

  With the probabilities Y at a temperature and the examples' weights W, the confusion of classes is
  Y^T W Y, each row divided by its sum; the loss is the mean over rows of what lies off the
  diagonal. The paper's weights are `1 + exp(-entropy)` of Y. See "Minimum class confusion for
  versatile domain adaptation" by Jin et al., 2020 (https://arxiv.org/abs/1912.03699).

  Kind: one sample.
  Minimum: 0, where each class has an example and each example is sure of one.

  Args:
    logits: `[batch, classes]`, unnormalised log-probabilities.
    weights: `[batch]`, of which only the ratios count, or None for equal weights.
    temperature: What the logits are divided by.

  Returns:
    A scalar, at most 1. A class that no example has any probability of counts as confused.
  """
  chex.assert_rank(logits, 2)
  chex.assert_type(logits, float)
  logits = at_least_float32(logits)
  weights = jnp.ones(len(logits), logits.dtype) if weights is None else at_least_float32(weights)
  chex.assert_shape(weights, (len(logits),))
  chex.assert_type(weights, float)
  probabilities = jax.nn.softmax(logits / temperature, axis=1)
  weighted = weights[:, None] * probabilities / jnp.mean(weights)
  # Row k of Y^T W Y sums to the mass of class k, since each example's probabilities sum to 1.
  mass = jnp.sum(weighted, axis=0)
  agreement = jnp.sum(weighted * probabilities, axis=0)
  # Of a class without mass the agreement is nothing too: the bound only keeps 0 / 0 away.
  return 1 - jnp.mean(agreement / jnp.maximum(mass, 1e-12))


def batch_nuclear_norm(logits: jax.Array) -> jax.Array:
  """Takes minus the nuclear norm of the matrix of predictions, divided by the batch.

  The nuclear norm, the sum of singular values, is large where predictions are sure (the Frobenius
  norm) and of many classes (the rank). See "Towards discriminability and diversity: batch
  nuclear-norm maximization under label insufficient situations" by Cui et al., 2020
  (https://arxiv.org/abs/2003.12237).

  Singular values that are zero to rounding get no gradient: theirs has no direction of its own.

  Kind: one sample.
  Minimum: minus the sum over classes of sqrt(examples of the class) / batch, for sure predictions
    spread evenly over the classes; about -sqrt(classes / batch).

  Args:
    logits: `[batch, classes]`, unnormalised log-probabilities.

  Returns:
    A scalar, at most `-1 / sqrt(batch * classes)`, where all predictions are uniform.
  """
  chex.assert_rank(logits, 2)
  chex.assert_type(logits, float)
  probabilities = jax.nn.softmax(at_least_float32(logits), axis=1)
  return -nuclear_norm(probabilities) / len(logits)


def information_maximization(logits: jax.Array) -> jax.Array:
  """Takes minus the information that inputs carry of predicted classes.

  It is the mean entropy of the predictions less the entropy of the mean prediction: small where
  each prediction is sure and all classes are predicted alike. See "Discriminative clustering by
  regularized information maximization" by Krause, Perona and Gomes, 2010, and "Do we really need to
  access the source data?" by Liang, Hu and Feng, 2020 (https://arxiv.org/abs/2002.08546).

  Kind: one sample.
  Minimum: minus the entropy of sure predictions spread evenly over the classes, about
    -log(classes).

  Args:
    logits: `[batch, classes]`, unnormalised log-probabilities.

  Returns:
    A scalar, in nats, at most 0.
  """
  chex.assert_rank(logits, 2)
  chex.assert_type(logits, float)
  each = jax.nn.log_softmax(at_least_float32(logits), axis=1)
  mean = jax.nn.logsumexp(each, axis=0) - jnp.log(len(logits))
  entropy = lambda log_p: -jnp.sum(jnp.exp(log_p) * log_p, axis=-1)
  return jnp.mean(entropy(each)) - entropy(mean)
