"""Batch spectral shrinkage (Chen et al., 2019)."""

from typing import Annotated

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Terms
from tlda.methods.target_only import TargetOnly
from tlda.ranges import LogUniform


class BSS(TargetOnly):
  """Shrinks the smallest singular values of the features of a batch.

  Chen, Wang, Fu, Long, Wang: *Catastrophic Forgetting Meets Negative Transfer: Batch Spectral
  Shrinkage for Safe Transfer Learning*, NeurIPS 2019. With sigma_{-i} the i-th smallest singular
  value of the features of a batch,

    L_task + weight sum_{i = 1}^k sigma_{-i}^2

  The singular values are those of the global batch, not centred, as in the authors' code. The
  method needs no reference; it composes with the strategies that hold the weights (`l2_sp`).

  Attributes:
    weight: Of the penalty (the paper's 1e-3).
    singular_values: The number k of singular values (the paper's 1).
  """

  weight: Annotated[float, LogUniform(1e-4, 1e-2)] = 1e-3
  singular_values: int = 1

  def check(self, batch_size: int) -> None:
    """Refuses to shrink no singular value, and to make one grow."""
    del batch_size
    needs.at_least(self, 1, 'singular_values')
    needs.at_least(self, 0, 'weight')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss and the penalty."""
    (target,) = self.outputs(batch)
    features = axis.gather(target.features)
    shrunk = losses.batch_spectral_shrinkage(features, singular_values=self.singular_values)
    return {'task': self.task_loss(target, batch.target), 'spectral': self.weight * shrunk}
