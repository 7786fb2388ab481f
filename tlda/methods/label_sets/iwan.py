"""Importance-weighted adversarial nets for partial domain adaptation (Zhang et al., 2018)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.dann import DANN
from tlda.methods.method import Terms
from tlda.models import gradient_reversal
from tlda.ranges import LogUniform


class IWAN(DANN):
  """Aligns the target with those source examples that look like it.

  Zhang, Ding, Li, Ogunbona: *Importance Weighted Adversarial Nets for Partial Domain Adaptation*,
  CVPR 2018. A first domain classifier D, of which the features learn nothing, weighs each source
  example by the probability that it is of the target; a second one, D_0, is played against:

    w(z) = (1 - D(z)) / mean_source (1 - D(z))
    L_task - lambda(p) (mean_source w L_D0 + mean_target L_D0) / 2 + entropy mean_target H(p(x))

  so that examples of classes that the target lacks, which D recognises, do not count.

  Departs from the paper: one extractor for both domains, where the paper keeps the source's as it
  was trained beforehand and adapts another for the target.

  Attributes:
    entropy: Of the target's entropy (the paper's gamma).
  """

  entropy: Annotated[float, LogUniform(0.01, 1.0)] = 0.1

  def setup(self) -> None:
    """Makes the classifier that weighs, which is like the one that is played against."""
    self.weighing_classifier = self.domain_classifier.clone(name=None, parent=None)

  def check(self, batch_size: int) -> None:
    """Refuses what DANN refuses, and a negative weight."""
    super().check(batch_size)
    needs.at_least(self, 0, 'entropy')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source, the losses of both domain classifiers, and entropy."""
    source, target = self.outputs(batch)
    weigh = lambda x: self.weighing_classifier(jax.lax.stop_gradient(x.features), train=True)
    weighing = [weigh(outputs) for outputs in (source, target)]
    coefficient = self.weight * context.ramp()
    playing = [
      self.domain_classifier(gradient_reversal(x.features, coefficient), train=True)
      for x in (source, target)
    ]
    return {
      'task': self.task_loss(source, batch.source),
      'weighing': losses.domain_adversarial(*weighing),
      'domain': losses.domain_adversarial(*playing, source_weights=importance(weighing[0])),
      'entropy': self.entropy * losses.entropy(target.logits).mean(),
    }


def importance(domain_logits: jax.Array) -> jax.Array:
  """Returns the weights `[batch]` of source examples, of mean 1 over all devices.

  Args:
    domain_logits: `[batch]`, the log-odds that an example is of the source.
  """
  raw = jax.lax.stop_gradient(jax.nn.sigmoid(-domain_logits))
  return raw / jnp.maximum(axis.mean(raw.mean()), 1e-12)
