"""Batch spectral penalization (Chen et al., 2019)."""

from typing import Annotated

import jax

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.dann import DANN
from tlda.methods.method import Outputs, Terms
from tlda.ranges import LogUniform


class BSP(DANN):
  """Adds a penalty on the largest singular values of features to DANN.

  Chen, Wang, Long, Wang: *Transferability vs. Discriminability: Batch Spectral Penalization for
  Adversarial Domain Adaptation*, ICML 2019. Adversarial training makes features transferable, in
  the few directions of the largest singular values, at the cost of those that tell classes apart.
  With sigma_i the i-th singular value of the features of a batch,

    L_task - lambda(p) L_domain + spectral_weight sum_domains sum_{i = 1}^k sigma_i^2

  The singular values are those of the global batch, not centred, as in the authors' code. Any other
  subclass of DANN takes the penalty by inheritance: `class BSPWithOther(BSP, Other)`.

  Attributes:
    domain_classifier: Tells source features from target features.
    spectral_weight: Of the penalty (the paper's 1e-4).
    singular_values: The number k of singular values of each domain (the paper's 1).
  """

  spectral_weight: Annotated[float, LogUniform(1e-5, 1e-3)] = 1e-4
  singular_values: int = 1

  def check(self, batch_size: int) -> None:
    """Refuses to penalise no singular value."""
    super().check(batch_size)
    needs.at_least(self, 1, 'singular_values')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss, the loss of the domain classifier and the penalty."""
    source, target = self.outputs(batch)
    return {
      'task': self.task_loss(source, batch.source),
      'domain': self.domain_loss(source, target, context),
      'spectral': self.spectral_penalty(source, target),
    }

  def spectral_penalty(self, source: Outputs, target: Outputs) -> jax.Array:
    """Returns the penalty, a scalar."""
    features = axis.gather(source.features), axis.gather(target.features)
    penalty = losses.batch_spectral_penalty(*features, singular_values=self.singular_values)
    return self.spectral_weight * penalty
