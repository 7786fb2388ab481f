"""Rejection by the largest probability (Hendrycks and Gimpel, 2017)."""

from typing import ClassVar

import jax

from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.label_sets.rejecting import Rejecting
from tlda.methods.method import Outputs, Terms


class SoftmaxThreshold(Rejecting):
  """Learns the source alone, and rejects where no class is probable: the plain baseline.

  Hendrycks, Gimpel: *A Baseline for Detecting Misclassified and Out-of-Distribution Examples in
  Neural Networks*, ICLR 2017. An example is unknown where max_c p_c < threshold.

  Attributes:
    threshold: The smallest probability of a class that is believed.
  """

  reads: ClassVar[frozenset[str]] = frozenset({'source'})

  threshold: float = 0.5

  def check(self, batch_size: int) -> None:
    """Refuses a threshold that is no probability."""
    del batch_size
    needs.shares(self, 'threshold')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source among its classes."""
    del context
    (source,) = self.outputs(batch)
    return {'task': self.known_loss(source, batch.source)}

  def rejects(self, outputs: Outputs) -> jax.Array:
    """Tells where no class is probable enough."""
    return jax.nn.softmax(self.known(outputs)).max(axis=1) < self.threshold
