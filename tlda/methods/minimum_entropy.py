"""Entropy minimisation (Grandvalet and Bengio, 2004)."""

from typing import Annotated

from tlda import losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Terms
from tlda.ranges import LogUniform


class MinimumEntropy(Method):
  """Predicts for the target with certainty, so that no boundary runs through its clusters.

  Grandvalet, Bengio: *Semi-supervised Learning by Entropy Minimization*, NIPS 2004; its unlabelled
  examples are those of the target here:

    L_task + weight * mean entropy of the target's predictions

  is minimised. Alone it makes mistakes as sure as all else, and may leave classes out: BNM and
  information maximisation add what works against that.

  Attributes:
    weight: Of the entropy (lambda; the paper chooses it in [0, 1] by validation. 0.01 is what VADA,
      Shu et al., 2018, gives the target's entropy).
  """

  weight: Annotated[float, LogUniform(0.001, 1.0)] = 0.01

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, which is always certain."""
    del batch_size
    needs.classes(self)

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and the entropy of the target's predictions."""
    source, target = self.outputs(batch)
    entropy = losses.entropy(target.logits).mean()
    return {'task': self.task_loss(source, batch.source), 'entropy': self.weight * entropy}
