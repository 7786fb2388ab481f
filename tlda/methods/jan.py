"""Joint adaptation network (Long et al., 2017)."""

from typing import Annotated

import jax

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Outputs, Terms
from tlda.ranges import LogUniform


class JAN(Method):
  """Draws the joint distributions of features and predictions together.

  Long, Zhu, Wang, Jordan: *Deep Transfer Learning with Joint Adaptation Networks*, ICML 2017. With
  features f, predicted probabilities g and the joint maximum mean discrepancy D, whose kernel is
  the product of one of features and one of predictions,

    L_task + lambda(p) D((f, g)_source, (f, g)_target)

  where `lambda(p) = weight (2 / (1 + exp(-10 p)) - 1)`, p the share of the planned training that
  is done, to suppress noisy predictions early on.

  Departs from the paper: D is the biased estimate over all pairs of the batch, not the unbiased one
  over consecutive pairs, and the kernels' widths are around the mean, not the median, squared
  distance. As in the authors' code the features have several kernels and the predictions one; that
  code fixes the latter's width at 1.68, and adds its 5 kernels, of which this is the mean: a weight
  of 1 there is 5 here.

  Attributes:
    weight: The value of lambda at the end of training (the paper's 1).
    kernels: The number of Gaussian kernels of the features.
  """

  weight: Annotated[float, LogUniform(0.1, 10.0)] = 1.0
  kernels: int = 5

  def check(self, batch_size: int) -> None:
    """Refuses a batch that says nothing of a distribution, and no kernel at all."""
    needs.examples(self, batch_size)
    needs.at_least(self, 1, 'kernels')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and the joint discrepancy."""
    source, target = self.outputs(batch)
    source_features, source_probabilities = self.layers(source)
    target_features, target_probabilities = self.layers(target)
    discrepancy = losses.joint_maximum_mean_discrepancy(
      source_features,
      target_features,
      source_probabilities,
      target_probabilities,
      kernels=self.kernels,
    )
    return {
      'task': self.task_loss(source, batch.source),
      'discrepancy': self.weight * context.ramp() * discrepancy,
    }

  def layers(self, outputs: Outputs) -> tuple[jax.Array, jax.Array]:
    """Returns the features and the predicted probabilities that are compared, of all devices."""
    return axis.gather(outputs.features), axis.gather(jax.nn.softmax(outputs.logits))
