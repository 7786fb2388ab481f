"""S+T: supervised training on the source and the few labels of the target."""

from typing import ClassVar

from tlda.methods.batch import Batch, Context
from tlda.methods.few_labels.few_labels import FewLabels
from tlda.methods.method import Terms


class SourceAndTarget(FewLabels):
  """Learns all labels that there are, and nothing else: the baseline of this setting.

  S+T in Saito, Kim, Sclaroff, Darrell, Saenko: *Semi-supervised Domain Adaptation via Minimax
  Entropy*, ICCV 2019, Table 1, is the mean task loss of batches of both domains:

    (L_task(source) + L_task(labelled target)) / 2

  With --init_from it fine-tunes a trained source run on both.

  Departs from the paper: the head is the network's, and no cosine classifier.
  """

  reads: ClassVar[frozenset[str]] = frozenset({'source', 'labelled_target'})

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task losses of the source and of the labelled target."""
    source, labelled = self.outputs(batch)
    return self.supervised(source, labelled, batch)
