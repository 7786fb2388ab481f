"""The loss of a classifier that tells two domains apart."""

import chex
import jax
import jax.numpy as jnp

from tlda.losses._arrays import at_least_float32


def domain_adversarial(
  source_domain_logits: jax.Array, target_domain_logits: jax.Array
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

  Returns:
    A scalar, in nats: the mean of the two domains' means.
  """
  chex.assert_rank([source_domain_logits, target_domain_logits], 1)
  chex.assert_type([source_domain_logits, target_domain_logits], float)
  # -log(sigmoid(x)) = softplus(-x) and -log(1 - sigmoid(x)) = softplus(x), finite for any x.
  source = jnp.mean(jax.nn.softplus(-at_least_float32(source_domain_logits)))
  target = jnp.mean(jax.nn.softplus(at_least_float32(target_domain_logits)))
  return (source + target) / 2
