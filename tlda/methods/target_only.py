"""Training on the labelled target: the supervised upper bound."""

from typing import ClassVar

from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Terms


class TargetOnly(Method):
  """Minimises the task loss of the target, with all its labels; the source is never read.

  No adaptation may see these labels: this is the bound that adaptation is compared with ("train on
  target" in the tables of Ganin et al., 2016).
  """

  reads: ClassVar[frozenset[str]] = frozenset({'target', 'target_labels'})

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the target."""
    (target,) = self.outputs(batch)
    return {'task': self.task_loss(target, batch.target)}
