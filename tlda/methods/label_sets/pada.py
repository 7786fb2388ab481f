"""Partial adversarial domain adaptation (Cao et al., 2018)."""

from typing import Any

import jax
import jax.numpy as jnp

from tlda import losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.dann import DANN
from tlda.methods.method import DomainPass, Outputs, States, Terms, Variables
from tlda.models import gradient_reversal


class PADA(DANN):
  """Aligns the target with those classes of the source that it seems to have.

  Cao, Ma, Long, Wang: *Partial Adversarial Domain Adaptation*, ECCV 2018. The weight of a class is
  the mean probability that the network gives it over the whole target, divided by the largest:

    gamma = mean_target p(x),  w = gamma / max gamma,
    mean_source w_y L_task - lambda(p) (mean_source w_y L_domain + mean_target L_domain) / 2,

  so that source examples of classes that the target lacks count neither for the task nor for the
  domain classifier. The weights are taken anew in evenly spaced passes over the target, the first
  before any step.

  Departs from the authors' code: there the weights are equal until the first update, the weighted
  task loss is divided by the sum of its weights, and the domain's weights by the largest of the
  batch.

  Attributes:
    passes: How often the weights are taken (every 500 or 2,000 of 50,000 steps in the authors'
      code).
  """

  passes: int = 20

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, and no pass."""
    super().check(batch_size)
    needs.classes(self)
    needs.at_least(self, 1, 'passes')

  def domain_passes(self) -> tuple[DomainPass, ...]:
    """Returns the passes in which the weights are taken."""
    return (DomainPass('weigh', self.passes),)

  def initial_states(self, variables: Variables) -> States:
    """Returns equal weights, until the first pass."""
    del variables
    return {'class_weights': {'weights': jnp.ones(self.spec.classes)}}

  def weigh(self, variables: Any, outputs: Outputs) -> States:
    """Returns the weights that `[examples, classes]` logits of the whole target give."""
    del variables
    shares = jax.nn.softmax(outputs.logits).mean(axis=0)
    return {'class_weights': {'weights': shares / shares.max()}}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the weighted task loss of the source and the weighted domain loss."""
    source, target = self.outputs(batch)
    labels = batch.source.flat().labels
    weights = self.get_variable('class_weights', 'weights')[labels]
    coefficient = self.weight * context.ramp()
    domain = losses.domain_adversarial(
      self.domain_classifier(gradient_reversal(source.features, coefficient), train=True),
      self.domain_classifier(gradient_reversal(target.features, coefficient), train=True),
      source_weights=weights,
    )
    return {'task': (weights * self.task.loss(source.logits, labels)).mean(), 'domain': domain}
