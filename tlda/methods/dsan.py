"""Deep subdomain adaptation network (Zhu et al., 2020)."""

from typing import Annotated

import jax

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Terms
from tlda.ranges import LogUniform


class DSAN(Method):
  """Draws each class of the source and what is predicted to be that class together.

  Zhu, Zhuang, Wang, Ke, Chen, Bian, Xiong, He: *Deep Subdomain Adaptation Network for Image
  Classification*, IEEE Transactions on Neural Networks and Learning Systems 2020. With the local
  maximum mean discrepancy, weighted by labels in the source and predicted probabilities in the
  target,

    L_task + lambda(p) mean_classes |sum_i w_ic k(x_i, .) - sum_j w_jc k(x_j, .)|^2

  where `lambda(p) = weight (2 / (1 + exp(-10 p)) - 1)`, p the share of the planned training that
  is done. The weights get no gradient, as in the authors' code.

  Departs from the paper: the mean is over the classes that the batch of the source has, for the
  others have nothing to compare. The authors' code leaves out, as well, those that are nowhere the
  most probable in the batch of the target; and it adds kernels, of which this is the mean: its
  weight, 0.5, with its 5 kernels is 2.5 here.

  Attributes:
    weight: The value of lambda at the end of training (the paper's 1).
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
    """Returns the task loss of the source and the local discrepancy of features."""
    source, target = self.outputs(batch)
    probabilities = jax.lax.stop_gradient(jax.nn.softmax(target.logits))
    discrepancy = losses.local_maximum_mean_discrepancy(
      axis.gather(source.features),
      axis.gather(target.features),
      axis.gather(batch.source.flat().labels),
      axis.gather(probabilities),
      kernels=self.kernels,
    )
    return {
      'task': self.task_loss(source, batch.source),
      'discrepancy': self.weight * context.ramp() * discrepancy,
    }
