"""Margin disparity discrepancy (Zhang et al., 2019)."""

from typing import Annotated

import jax

from tlda import losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.method import Method, Outputs, Terms
from tlda.models import gradient_reversal
from tlda.ranges import Choice, LogUniform


class MDD(Method):
  """Learns features on which no second classifier agrees on the source and differs on the target.

  Zhang, Liu, Long, Jordan: *Bridging Theory and Algorithm for Domain Adaptation*, ICML 2019. With
  h the class that `head` predicts and p the probabilities of the adversary, `other_head`,

    min over extractor, head    L_task + eta D
    max over other_head         D = margin E_source log p_h + E_target log(1 - p_h)

  is found in one backward pass: the adversary minimises -D at full weight, and the gradient of -D
  is reversed and multiplied by eta where it enters the extractor. The margin of the paper's theory
  is rho = log(margin); the head gets no gradient of D.

  Departs from the authors' code: eta grows as DANN's lambda does, `weight (2 / (1 + exp(-10 p)) -
  1)` of the planned training p, instead of over a fixed number of steps; and the adversary is of
  the same make as the head, whatever that is, where theirs have a hidden layer each.

  Attributes:
    margin: The weight of the source in D, exp(rho) (gamma; the authors take 4 on Office-31, 2 on
      Office-Home).
    weight: The value of eta at the end of training (the authors' 0.1).
  """

  margin: Annotated[float, Choice((2.0, 3.0, 4.0))] = 4.0
  weight: Annotated[float, LogUniform(0.01, 1.0)] = 0.1

  def setup(self) -> None:
    """Makes the adversary."""
    self.other_head = self.head.clone(name=None, parent=None)

  def check(self, batch_size: int) -> None:
    """Refuses a problem where nothing can be contradicted."""
    del batch_size
    needs.classes(self)

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and the adversary's loss, minus D."""
    source, target = self.outputs(batch)
    disparity = losses.margin_disparity(
      source.logits,
      self._adversary(source, batch.source, context),
      target.logits,
      self._adversary(target, batch.target, context),
      margin=self.margin,
    )
    return {'task': self.task_loss(source, batch.source), 'disparity': disparity}

  def _adversary(self, outputs: Outputs, examples: Examples, context: Context) -> jax.Array:
    features = gradient_reversal(outputs.features, self.weight * context.ramp())
    return self.other_head(features, domain=examples.flat().domain, train=True)
