"""Distances between two samples by optimal transport, regularised by entropy.

Between samples with shares a and b (of sum 1) and costs C, the plan P with these marginals
minimises `<P, C> + epsilon KL(P | a b')`. It is `a_i b_j exp((f_i + g_j - C_ij) / epsilon)`, and
its potentials f and g are found by Sinkhorn's iterations, in logarithms. They are held constant in
gradients: at their optimum nothing is gained by moving them.
"""

import chex
import jax
import jax.numpy as jnp
from jax import lax

from tlda.losses._arrays import at_least_float32, check_samples, shares
from tlda.losses._distances import held_scale, squared_distances


def sinkhorn_divergence(
  source: jax.Array,
  target: jax.Array,
  *,
  source_weights: jax.Array | None = None,
  target_weights: jax.Array | None = None,
  regularization: float = 0.05,
  iterations: int = 50,
) -> jax.Array:
  """Compares two samples by what it costs to transport one to the other, at squared distances.

  `OT(source, target) - OT(source, source) / 2 - OT(target, target) / 2`, each regularised alike, so
  that equal samples are at no distance. See "Learning generative models with Sinkhorn divergences"
  by Genevay et al., 2018 (https://arxiv.org/abs/1706.00292), and "Interpolating between optimal
  transport and MMD using Sinkhorn divergences" by Feydy et al., 2019
  (https://arxiv.org/abs/1810.08278), whose dual form this is.

  Kind: two samples.
  Minimum: 0, for equal samples.

  Args:
    source: `[source examples, features]`.
    target: `[target examples, features]`.
    source_weights: `[source examples]`, positive, or None for equal weights; their scale does not
      matter.
    target_weights: `[target examples]`, the same for the target.
    regularization: epsilon, as a share of the mean squared distance between the samples, which is
      held constant. The smaller, the more iterations it needs.
    iterations: Of Sinkhorn, for each of the three plans.

  Returns:
    A scalar: the squared length of a shift, where one sample is the other shifted.
  """
  check_samples(source, target)
  chex.assert_scalar_positive(regularization)
  shared = shares(source_weights, source), shares(target_weights, target)
  source, target = at_least_float32(source), at_least_float32(target)
  cost = squared_distances(source, target)
  rows = jnp.concatenate([source, target])
  epsilon = regularization * held_scale(jnp.mean(cost), rows)
  within = [
    _transport_cost(squared_distances(x, x), share, share, epsilon, iterations)
    for x, share in zip((source, target), shared, strict=True)
  ]
  between = _transport_cost(cost, *shared, epsilon, iterations)
  return between - (within[0] + within[1]) / 2


def joint_distribution_transport(
  source: jax.Array,
  target: jax.Array,
  source_labels: jax.Array,
  target_logits: jax.Array,
  *,
  feature_weight: float = 1e-3,
  label_weight: float = 1e-4,
  regularization: float = 0.05,
  iterations: int = 50,
) -> jax.Array:
  """Prices the transport of source examples, features and labels, to target examples.

  A pair costs `feature_weight` times the squared distance of features and `label_weight` times the
  cross-entropy of the source's label under the target's prediction; the plan gets no gradient. See
  "DeepJDOT: Deep joint distribution optimal transport for unsupervised domain adaptation" by
  Damodaran et al., 2018 (https://arxiv.org/abs/1803.10081), where the plan is not regularised.

  Kind: two samples.
  Minimum: 0, where labelled features are the same in both.

  Args:
    source: `[source examples, features]`.
    target: `[target examples, features]`.
    source_labels: `[source examples]`, integers in `[0, classes)`.
    target_logits: `[target examples, classes]`, unnormalised log-probabilities.
    feature_weight: Of squared distances.
    label_weight: Of cross-entropies.
    regularization: epsilon, as a share of the mean cost.
    iterations: Of Sinkhorn.

  Returns:
    A scalar, the mean cost of a pair under the plan.
  """
  check_samples(source, target)
  chex.assert_rank([source_labels, target_logits], [1, 2])
  chex.assert_type([source_labels, target_logits], [int, float])
  chex.assert_equal_shape_prefix([source, source_labels], 1)
  chex.assert_equal_shape_prefix([target, target_logits], 1)
  chex.assert_scalar_positive(regularization)
  a, b = shares(None, source), shares(None, target)
  source, target = at_least_float32(source), at_least_float32(target)
  distances = squared_distances(source, target)
  surprise = -jax.nn.log_softmax(at_least_float32(target_logits))[:, source_labels].T
  cost = feature_weight * distances + label_weight * surprise
  mean = lax.stop_gradient(jnp.mean(cost))
  epsilon = regularization * jnp.where(mean > 0, mean, 1)
  f, g = _potentials(cost, a, b, epsilon, iterations)
  plan = a[:, None] * b[None] * jnp.exp((f[:, None] + g[None] - lax.stop_gradient(cost)) / epsilon)
  return jnp.sum(plan * cost)


def _potentials(
  cost: jax.Array, a: jax.Array, b: jax.Array, epsilon: jax.Array, iterations: int
) -> tuple[jax.Array, jax.Array]:
  """Returns f `[n]` and g `[m]` of costs `[n, m]`; the plan's columns have their right sums."""
  chex.assert_scalar_positive(iterations)
  cost, log_a, log_b = lax.stop_gradient((cost, jnp.log(a), jnp.log(b)))

  def iterate(_: jax.Array, potentials: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
    _, g = potentials
    f = -epsilon * jax.nn.logsumexp(log_b[None] + (g[None] - cost) / epsilon, axis=1)
    g = -epsilon * jax.nn.logsumexp(log_a[:, None] + (f[:, None] - cost) / epsilon, axis=0)
    return f, g

  return lax.fori_loop(0, iterations, iterate, (jnp.zeros_like(log_a), jnp.zeros_like(log_b)))


def _transport_cost(
  cost: jax.Array, a: jax.Array, b: jax.Array, epsilon: jax.Array, iterations: int
) -> jax.Array:
  """Returns the value of the dual problem, whose error is of second order in the potentials'.

  Its partial derivatives by costs and shares are those of the optimum.
  """
  f, g = _potentials(cost, a, b, epsilon, iterations)
  plan = a[:, None] * b[None] * jnp.exp((f[:, None] + g[None] - cost) / epsilon)
  return jnp.sum(a * f) + jnp.sum(b * g) - epsilon * (jnp.sum(plan) - 1)
