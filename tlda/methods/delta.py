"""Deep learning transfer using feature maps (Li et al., 2019)."""

from typing import Annotated, Any

import jax

from tlda import losses
from tlda.errors import UserError
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Terms
from tlda.methods.referenced import Referenced
from tlda.ranges import LogUniform


class DELTA(Referenced):
  """Holds the feature maps of each stage to those that the start weights give.

  Li, Xiong, Wang, Rao, Liu, Chen, Huan: *DELTA: Deep Learning Transfer using Feature Map with
  Attention for Convolutional Networks*, ICLR 2019. With the maps f_i of stage i, and f_i* those of
  the frozen start network,

    L_task + weight sum_i |f_i(x) - f_i*(x)|^2 / 2

  as means over examples, positions and channels. It holds what the network does, where L2-SP
  (`--transfer=l2_sp`) holds the weights; both may be had together, and the weight decay of what is
  new is that of L2-SP.

  Departs from the paper: attention is the same to all channels (theirs is found in a pass before
  training, by leaving out one channel after the other), and the sum over the batch and all
  activations is a mean.

  The reference is normalised by its running statistics, and so differs from a network in training
  from the first step on, much in small batches; with `--normalization=frozen` it does not.

  Attributes:
    weight: Of the distance of feature maps (the paper's alpha, 0.01, of a sum).
  """

  weight: Annotated[float, LogUniform(0.001, 0.1)] = 0.01

  def check(self, batch_size: int) -> None:
    """Refuses a weight that would drive the feature maps away."""
    del batch_size
    needs.at_least(self, 0, 'weight')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss and the distance of feature maps."""
    (target,) = self.outputs(batch)
    own = self.stages()
    if not own:
      raise UserError('delta holds the stages of a backbone, and this one names none')
    reference = self.referred(_stages, batch.target)
    apart = sum(losses.hint(own[name], reference[name]).mean() for name in own)
    return {'task': self.task_loss(target, batch.target), 'feature_maps': self.weight * apart}


def _stages(method: Method, inputs: jax.Array, domain: jax.Array | int) -> dict[str, Any]:
  method.forward(inputs, domain, train=False)
  return method.stages()
