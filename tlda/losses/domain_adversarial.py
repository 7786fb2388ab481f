"""Losses of a classifier that tells two domains apart, and of features that confuse it."""

import chex
import jax
import jax.numpy as jnp

from tlda.losses._arrays import at_least_float32


def domain_adversarial(
  source_domain_logits: jax.Array,
  target_domain_logits: jax.Array,
  *,
  source_weights: jax.Array | None = None,
  target_weights: jax.Array | None = None,
) -> jax.Array:
  """Scores a domain classifier by binary cross-entropy: the source is 1, the target is 0.

  The classifier minimises it; through a gradient reversal the feature extractor maximises it. The
  two domains have equal weight, whatever their sizes. See "Domain-adversarial training of neural
  networks" by Ganin et al., 2016 (https://arxiv.org/abs/1505.07818).

  Kind: two samples.
  Minimum: 0, where the classifier separates the domains. On equal samples, which it cannot
  separate, its best is log 2.

  Args:
    source_domain_logits: `[source examples]`, the log-odds that an example is of the source.
    target_domain_logits: `[target examples]`, the same for the target's.
    source_weights: `[source examples]`, what each example's loss is multiplied by (Long et al.,
      2018, https://arxiv.org/abs/1705.10667); None is 1. They are not normalised.
    target_weights: `[target examples]`, the same for the target's.

  Returns:
    A scalar, in nats: the mean of the two domains' means.
  """
  source = _mean_softplus(-source_domain_logits, source_weights)
  target = _mean_softplus(target_domain_logits, target_weights)
  return (source + target) / 2


def _mean_softplus(logits: jax.Array, weights: jax.Array | None) -> jax.Array:
  """Averages -log(1 - sigmoid(x)) = softplus(x), which is finite for any x."""
  weights = jnp.ones_like(logits) if weights is None else weights
  chex.assert_rank([logits, weights], 1)
  chex.assert_type([logits, weights], float)
  chex.assert_equal_shape([logits, weights])
  return jnp.mean(at_least_float32(weights) * jax.nn.softplus(at_least_float32(logits)))


def domain_confusion(domain_logits: jax.Array) -> jax.Array:
  """Measures how far a domain classifier is from giving each domain the probability one half.

  The cross-entropy between the uniform distribution over domains and the predicted one, which
  features minimise. See "Simultaneous deep transfer across domains and tasks" by Tzeng et al.,
  2015 (https://arxiv.org/abs/1510.02192).

  Kind: per example.
  Minimum: log 2, where the classifier cannot tell.

  Args:
    domain_logits: `[batch]`, the log-odds that an example is of the source.

  Returns:
    `[batch]`, in nats.
  """
  chex.assert_rank(domain_logits, 1)
  chex.assert_type(domain_logits, float)
  # The mean of softplus(x) and softplus(-x).
  return jax.nn.softplus(at_least_float32(domain_logits)) - at_least_float32(domain_logits) / 2
