"""The base of methods that learn from a labelled source and a few labels of the target."""

from typing import ClassVar

from tlda.methods.batch import Batch
from tlda.methods.method import Method, Outputs, Terms


class FewLabels(Method):
  """Learns from a source, and from the labels of --target_labels_per_class examples of the target.

  Source and labelled target have a batch each, so that the few count as much as the many.
  """

  reads: ClassVar[frozenset[str]] = frozenset({'source', 'target', 'labelled_target'})

  def supervised(self, source: Outputs, labelled: Outputs, batch: Batch) -> Terms:
    """Returns the terms of what has labels: half the mean task loss of each domain."""
    return {
      'task': self.task_loss(source, batch.source) / 2,
      'labelled': self.task_loss(labelled, batch.labelled_target) / 2,
    }
