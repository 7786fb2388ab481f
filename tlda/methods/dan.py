"""Deep adaptation network (Long et al., 2015)."""

from typing import Annotated

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Terms
from tlda.ranges import LogUniform


class DAN(Method):
  """Draws the kernel mean embeddings of source and target together, layer by layer.

  Long, Cao, Wang, Jordan: *Learning Transferable Features with Deep Adaptation Networks*, ICML
  2015. With the maximum mean discrepancy under a mean of Gaussian kernels k,

    L_task + weight sum_layers |E_source k(x, .) - E_target k(x, .)|^2

  over the layers on top that belong to the task: the features and the logits.

  Departs from the paper: the discrepancy is the biased estimate over all pairs of the batch, not
  the unbiased one over consecutive pairs, which is faster for large batches and varies more; all
  kernels have the same share, where the paper optimises the shares; and their widths are around the
  mean, not the median, squared distance. The shares are equal in the authors' code too, which adds
  its 5 kernels: a weight of 1 there is 5 here.

  Attributes:
    weight: Of the discrepancies (chosen for each problem in the paper).
    kernels: The number of Gaussian kernels, whose widths are powers of 2 around the mean squared
      distance.
  """

  weight: Annotated[float, LogUniform(0.1, 10.0)] = 1.0
  kernels: int = 5

  def check(self, batch_size: int) -> None:
    """Refuses a batch that says nothing of a distribution, and no kernel at all."""
    needs.examples(self, batch_size)
    needs.at_least(self, 1, 'kernels')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and the discrepancies of features and logits."""
    source, target = self.outputs(batch)
    discrepancies = [
      losses.maximum_mean_discrepancy(axis.gather(a), axis.gather(b), kernels=self.kernels)
      for a, b in ((source.features, target.features), (source.logits, target.logits))
    ]
    return {
      'task': self.task_loss(source, batch.source),
      'discrepancy': self.weight * sum(discrepancies),
    }
