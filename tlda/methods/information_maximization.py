"""Information maximisation (Krause et al., 2010; Liang et al., 2020)."""

from typing import Annotated

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Terms
from tlda.ranges import LogUniform


class InformationMaximization(Method):
  """Predicts for the target with certainty, and with all classes alike.

  Krause, Perona, Gomes: *Discriminative Clustering by Regularized Information Maximization*, NIPS
  2010; for adaptation, Liang, Hu, Feng: *Do We Really Need to Access the Source Data? Source
  Hypothesis Transfer for Unsupervised Domain Adaptation* (SHOT-IM), ICML 2020:

    L_task + weight * (mean entropy of the target's predictions - entropy of their mean)

  is minimised, minus the mutual information of the target's inputs and classes. The mean is over
  the batch of all devices.

  Departs from SHOT-IM: the source is still there, and takes part; the head moves too.

  Attributes:
    weight: Of the information (SHOT-IM has no other term; here 0.1).
  """

  weight: Annotated[float, LogUniform(0.01, 1.0)] = 0.1

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, and a batch that cannot have several."""
    needs.classes(self)
    needs.examples(self, batch_size)

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and minus the information in the target's predictions."""
    source, target = self.outputs(batch)
    information = losses.information_maximization(axis.gather(target.logits))
    return {'task': self.task_loss(source, batch.source), 'information': self.weight * information}
