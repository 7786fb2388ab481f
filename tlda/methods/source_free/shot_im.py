"""SHOT-IM: information maximisation under a frozen source classifier (Liang et al., 2020)."""

from tlda import axis, losses
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Phase, Terms
from tlda.methods.source_free.source_free import SourceFree


class SHOTIM(SourceFree):
  """Fits the target's features to the source's classifier, each surely to one class and to all.

  Liang, Hu, Feng: *Do We Really Need to Access the Source Data? Source Hypothesis Transfer for
  Unsupervised Domain Adaptation*, ICML 2020, eq. 3 and 4: over the extractor alone,

    min mean entropy of the predictions - entropy of their mean

  The head, the source's hypothesis, is frozen. Entropy and mean are those of the batch of all
  devices. The paper trains its source run with --label_smoothing=0.1.

  Departs from the authors' code: what head and bottleneck are is the network's (there, a
  weight-normalised head behind a bottleneck with batch normalisation).
  """

  def phases(self) -> tuple[Phase, ...]:
    """Returns one phase, which leaves the head alone."""
    return (Phase('train', trains=('extractor',)),)

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns minus the information in the target's predictions."""
    (target,) = self.outputs(batch)
    return {'information': losses.information_maximization(axis.gather(target.logits))}
