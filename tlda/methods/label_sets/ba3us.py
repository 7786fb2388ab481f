"""Balanced adversarial alignment with adaptive uncertainty suppression (Liang et al., 2020)."""

from typing import Annotated

import flax.linen as nn
import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.label_sets.pada import PADA
from tlda.methods.method import Outputs, Terms
from tlda.models import DomainClassifier, gradient_reversal
from tlda.ranges import LogUniform


class BA3US(PADA):
  """Lends the target what it lacks of the source, less and less, and keeps wrong classes unsure.

  Liang, Wang, Hu, He, Feng: *A Balanced and Uncertainty-aware Approach for Partial Domain
  Adaptation*, ECCV 2020, with numbers of its code. w_y is the mean probability of class y over the
  whole target, and e(x) = 1 + exp(-H(p(x))). The domain classifier sees the examples of the source
  as such, and a share rho of them, from `lent` down to 0, as of the target, too:

    L_domain = ((1 + rho) E_(source, lent) [w_y e(x)] l(x) + E_target [e(x)] l(x)) / (2 + rho)

  where l is its cross-entropy and E [w] a mean with weights w. The gradient is reversed and ramped
  as in `dann`, that through e as well. With q_j = p_j / (1 - p_y) of the classes j other than y,

    E_source [w_y] L_task - lambda(p) L_domain + entropy mean_target H(p(x))
      + complement E_source [w_y (1 - p_y)^alpha] sum_j q_j log q_j / log(classes - 1)

  Departs from the authors' code: the lent examples are of the source's own batch (there, of one
  more); weights are taken before the first step already (there, all are equal for a tenth of the
  training).

  Attributes:
    domain_classifier: Tells source features from target features.
    weight: The value of lambda at the end of training.
    passes: How often the weights of classes are taken (the authors' 10).
    lent: Rho at the beginning (the authors' 1/4).
    entropy: Of the target's entropy (the authors' 0.1).
    complement: Of the uncertainty suppression (the authors' 1).
    alpha: How fast that fades as an example is learned (the authors' 1).
  """

  domain_classifier: nn.Module = DomainClassifier()
  weight: float = 1.0
  passes: int = 10
  lent: float = 0.25
  entropy: Annotated[float, LogUniform(0.01, 1.0)] = 0.1
  complement: float = 1.0
  alpha: float = 1.0

  def check(self, batch_size: int) -> None:
    """Refuses what PADA refuses, two classes, a share that is none, and negative weights."""
    super().check(batch_size)
    needs.classes(self, 3)
    needs.shares(self, 'lent')
    needs.at_least(self, 0, 'entropy', 'complement', 'alpha')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the losses of the task, the domains, the target's entropy and wrong classes."""
    (source, target), examples = self.outputs(batch), batch.source.flat()
    weights = self.get_variable('class_weights', 'weights')[examples.labels]
    probability = jnp.take_along_axis(
      jax.nn.softmax(source.logits), examples.labels[:, None], axis=1
    )[:, 0]
    unsure = jax.lax.stop_gradient(weights * (1 - probability) ** self.alpha)
    complement = -complement_entropy(source.logits, examples.labels)
    return {
      'task': weighted_mean(self.task.loss(source.logits, examples.labels), weights),
      'domain': self.balanced(source, target, examples, weights, context),
      'entropy': self.entropy * losses.entropy(target.logits).mean(),
      'complement': self.complement * weighted_mean(complement, unsure),
    }

  def balanced(
    self,
    source: Outputs,
    target: Outputs,
    examples: Examples,
    weights: jax.Array,
    context: Context,
  ) -> jax.Array:
    """Returns the domain classifier's loss, a scalar.

    Args:
      source: Of `[sources * batch]` examples on this device.
      target: Of `[batch]`.
      examples: Those of the source.
      weights: `[sources * batch]`, of their classes.
      context: Of the step.
    """
    coefficient = self.weight * context.ramp()
    source, target = (
      jax.tree.map(lambda x: gradient_reversal(x, coefficient), x) for x in (source, target)
    )
    sure = lambda outputs: 1 + jnp.exp(-losses.entropy(outputs.logits))
    ours, theirs = (self.domain_classifier(x.features, train=True) for x in (source, target))
    rows = len(target.logits) * axis.size()
    count = jnp.floor(self.lent * (1 - context.progress) * rows)
    # The batch is in random order: its first examples are any.
    lent = (examples.position < count).astype(weights.dtype)
    rho = axis.sum(lent.sum()) / (len(lent) * axis.size())
    own = weights * sure(source)
    both = weighted_mean(
      jnp.concatenate([jax.nn.softplus(-ours), jax.nn.softplus(ours)]),
      jnp.concatenate([own, own * lent]),
    )
    other = weighted_mean(jax.nn.softplus(theirs), sure(target))
    return ((1 + rho) * both + other) / (2 + rho)


def weighted_mean(values: jax.Array, weights: jax.Array) -> jax.Array:
  """Returns a mean `[]` with weights `[batch]`, whose sum over all devices gets no gradient.

  A mean over devices follows, so that it is scaled for one of them.
  """
  total = axis.mean(jax.lax.stop_gradient(weights.sum()))
  return (weights * values).sum() / jnp.maximum(total, 1e-12)


def complement_entropy(logits: jax.Array, labels: jax.Array) -> jax.Array:
  """Returns the entropy of the classes but the true one, as a share of the largest: `[batch]`.

  Chen et al.: *Complement Objective Training*, ICLR 2019.

  Args:
    logits: `[batch, classes]`, of 3 classes or more.
    labels: int `[batch]`.
  """
  true = jax.nn.one_hot(labels, logits.shape[1], dtype=bool)
  others = jax.nn.log_softmax(jnp.where(true, -jnp.inf, logits))
  # The logarithm of the true one, minus infinity, would be multiplied by 0.
  others = jnp.where(true, 0, others)
  shares = jnp.where(true, 0, jnp.exp(others))
  return -(shares * others).sum(axis=1) / jnp.log(logits.shape[1] - 1)
