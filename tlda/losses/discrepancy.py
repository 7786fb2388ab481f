"""Losses of two classifiers: how much they disagree."""

import chex
import jax
import jax.numpy as jnp
from jax import lax

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


def margin_disparity(
  source_logits: jax.Array,
  source_other_logits: jax.Array,
  target_logits: jax.Array,
  target_other_logits: jax.Array,
  *,
  margin: float = 4.0,
) -> jax.Array:
  """Scores a second classifier: it copies the first on the source, contradicts it on the target.

  With h the first classifier's class and p the second's probabilities, it is

    margin * mean over the source of -log p_h  +  mean over the target of -log(1 - p_h),

  minus the margin disparity discrepancy: the second classifier minimises it; through a gradient
  reversal the feature extractor maximises it. `margin` is exp(rho) of the margin rho. The first
  classifier gets no gradient. See "Bridging theory and algorithm for domain adaptation" by Zhang,
  Liu, Long and Jordan, 2019 (https://arxiv.org/abs/1904.05801).

  Kind: two samples.
  Minimum: 0, where the two agree on the source and on no target example, both without doubt.

  Args:
    source_logits: `[source examples, classes]`, of the first classifier.
    source_other_logits: `[source examples, classes]`, of the second for the same examples.
    target_logits: `[target examples, classes]`, of the first classifier.
    target_other_logits: `[target examples, classes]`, of the second for the same examples.
    margin: The weight of the source.

  Returns:
    A scalar, in nats.
  """
  pairs = (source_logits, source_other_logits), (target_logits, target_other_logits)
  for pair in pairs:
    chex.assert_rank(pair, 2)
    chex.assert_type(pair, float)
    chex.assert_equal_shape(pair)
  chex.assert_equal_shape_suffix([source_logits, target_logits], 1)
  chex.assert_axis_dimension_gt(source_logits, 1, 1)
  source, target = at_least_float32(source_other_logits), at_least_float32(target_other_logits)
  copies = _log_sum(source) - _log_sum(source, where=_said(source_logits))
  # -log(1 - p_h), from the logits: 1 - p_h itself would round to 0 as p_h nears 1.
  contradicts = _log_sum(target) - _log_sum(target, where=~_said(target_logits))
  return margin * jnp.mean(copies) + jnp.mean(contradicts)


def sliced_wasserstein_discrepancy(
  logits: jax.Array, other_logits: jax.Array, key: jax.Array, *, projections: int = 128
) -> jax.Array:
  """Measures how far the predictions of two classifiers lie apart, as two clouds of points.

  The probabilities are projected onto random directions; along each, the squared 2-Wasserstein
  distance is the mean squared gap of the sorted values; the loss is the mean over directions. See
  "Sliced Wasserstein discrepancy for unsupervised domain adaptation" by Lee et al., 2019
  (https://arxiv.org/abs/1903.04064), who write a sum where their code takes this mean.

  Kind: one sample.
  Minimum: 0, where the two give the same predictions, in whatever order.

  Args:
    logits: `[batch, classes]`, one classifier's unnormalised log-probabilities.
    other_logits: `[batch, classes]`, the other's for the same examples.
    key: A random key, of the directions.
    projections: How many directions.

  Returns:
    A scalar.
  """
  chex.assert_rank([logits, other_logits], 2)
  chex.assert_type([logits, other_logits], float)
  chex.assert_equal_shape([logits, other_logits])
  clouds = _probabilities(logits), _probabilities(other_logits)
  directions = jax.random.normal(key, (logits.shape[1], projections), jnp.float32)
  directions = directions.astype(clouds[0].dtype)
  directions = directions / jnp.linalg.norm(directions, axis=0)
  along = (jnp.matmul(cloud, directions, precision='highest') for cloud in clouds)
  one, other = (jnp.take_along_axis(values, _order(values), axis=0) for values in along)
  return jnp.mean(jnp.square(one - other))


def _order(values: jax.Array) -> jax.Array:
  """Returns what sorts each column, by integers of the same order as the finite numbers.

  Floating-point numbers take several times longer to sort on a CPU: each comparison asks for NaN.
  """
  kind = jnp.int64 if values.dtype == jnp.float64 else jnp.int32
  bits = lax.bitcast_convert_type(values, kind)
  # Of two negative numbers the one with the larger bits is the smaller.
  return jnp.argsort(jnp.where(bits < 0, bits ^ jnp.iinfo(kind).max, bits), axis=0)


def _probabilities(logits: jax.Array) -> jax.Array:
  return jax.nn.softmax(at_least_float32(logits), axis=1)


def _said(logits: jax.Array) -> jax.Array:
  """Returns a mask `[batch, classes]` of the class that a classifier finds most probable."""
  return jax.nn.one_hot(jnp.argmax(logits, axis=1), logits.shape[1], dtype=bool)


def _log_sum(logits: jax.Array, *, where: jax.Array | None = None) -> jax.Array:
  """Returns the log of the sum of the exponentials of a row, `[batch]`, of some classes or all."""
  return jax.nn.logsumexp(logits, axis=1, where=where)
