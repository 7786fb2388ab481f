"""Batch nuclear-norm maximisation (Cui et al., 2020)."""

from typing import Annotated

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Terms
from tlda.ranges import LogUniform


class BNM(Method):
  """Predicts for the target with certainty and with many classes.

  Cui, Wang, Zhuo, Li, Huang, Tian: *Towards Discriminability and Diversity: Batch Nuclear-norm
  Maximization under Label Insufficient Situations*, CVPR 2020. With the target's probabilities Y,
  a row for each of the batch's examples on all devices,

    L_task - weight * (sum of the singular values of Y) / batch

  is minimised.

  Departs from the authors' code: it takes the mean of the singular values, which divides their sum
  by min(batch, classes) instead of by the batch as in the paper.

  Attributes:
    weight: Of the nuclear norm (lambda; the authors' code takes 1).
  """

  weight: Annotated[float, LogUniform(0.1, 10.0)] = 1.0

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, and a batch that cannot have several."""
    needs.classes(self)
    needs.examples(self, batch_size)

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and minus the nuclear norm of the predictions."""
    source, target = self.outputs(batch)
    norm = losses.batch_nuclear_norm(axis.gather(target.logits))
    return {'task': self.task_loss(source, batch.source), 'nuclear_norm': self.weight * norm}
