"""Deep correlation alignment (Sun and Saenko, 2016)."""

from typing import Annotated

from tlda import axis, losses
from tlda.errors import UserError
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Terms
from tlda.ranges import LogUniform


class DeepCORAL(Method):
  """Draws the covariances of source and target together.

  Sun, Saenko: *Deep CORAL: Correlation Alignment for Deep Domain Adaptation*, ECCV workshops 2016.
  With the covariances C of the d outputs of one layer,

    L_task + weight |C_source - C_target|_F^2 / (4 d^2)

  In the paper the layer is that of the logits, and the weight is such that both terms are of one
  size at the end of training; later libraries often take the features.

  Attributes:
    weight: Of the distance between covariances (chosen for each problem in the paper).
    layer: What is aligned: 'logits' (the paper's) or 'features'.
  """

  weight: Annotated[float, LogUniform(0.1, 10.0)] = 1.0
  layer: str = 'logits'

  def check(self, batch_size: int) -> None:
    """Refuses a batch that has no covariance, and a layer that is none."""
    needs.examples(self, batch_size)
    if self.layer not in ('logits', 'features'):
      raise UserError(f'layer={self.layer} is neither logits nor features')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and the distance between covariances."""
    source, target = self.outputs(batch)
    rows = [axis.gather(getattr(outputs, self.layer)) for outputs in (source, target)]
    return {
      'task': self.task_loss(source, batch.source),
      'coral': self.weight * losses.coral(*rows),
    }
