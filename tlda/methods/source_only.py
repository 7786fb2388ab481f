"""Training on the source alone: what every adaptation is measured against."""

from typing import ClassVar

from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Terms


class SourceOnly(Method):
  """Minimises the task loss of the source; the target is never read.

  With several sources their examples are pooled.
  """

  reads: ClassVar[frozenset[str]] = frozenset({'source'})

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source."""
    (source,) = self.outputs(batch)
    return {'task': self.task_loss(source, batch.source)}
