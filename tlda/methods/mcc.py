"""Minimum class confusion (Jin et al., 2020)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Terms
from tlda.ranges import LogUniform, Uniform


class MCC(Method):
  """Predicts for the target so that no two classes are mistaken for each other.

  Jin, Wang, Long, Wang: *Minimum Class Confusion for Versatile Domain Adaptation*, ECCV 2020. With
  the target's probabilities Y at a temperature, and W the weights `1 + exp(-entropy)` of their
  rows, which let sure examples count more,

    L_task + weight * (what lies off the diagonal of Y^T W Y, each row of which is divided by its
    sum) / classes

  is minimised. The batch is that of all devices. As in the authors' code the weights W get no
  gradient, of which the paper does not speak.

  Attributes:
    temperature: What the target's logits are divided by (the authors' 2.5).
    weight: Of the confusion (mu; the paper's 1).
  """

  temperature: Annotated[float, Uniform(1.0, 5.0)] = 2.5
  weight: Annotated[float, LogUniform(0.1, 10.0)] = 1.0

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, which is mistaken for no other, and no temperature."""
    del batch_size
    needs.classes(self)
    needs.above(self, 0, 'temperature')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and the class confusion of the target."""
    source, target = self.outputs(batch)
    logits = axis.gather(target.logits)
    sure = 1 + jnp.exp(-losses.entropy(logits / self.temperature))
    confusion = losses.minimum_class_confusion(
      logits, weights=jax.lax.stop_gradient(sure), temperature=self.temperature
    )
    return {'task': self.task_loss(source, batch.source), 'confusion': self.weight * confusion}
