"""Discriminator-free adversarial learning network (Chen et al., 2022)."""

from typing import Annotated

import jax

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.method import Method, Outputs, Terms
from tlda.models import gradient_reversal
from tlda.ranges import LogUniform


class DALN(Method):
  """Aligns the domains with the task head itself as the critic.

  Chen, Chen, Xu, Li, Chen: *Reusing the Task-specific Classifier as a Discriminator:
  Discriminator-free Adversarial Domain Adaptation*, CVPR 2022. With predictions P of the two
  domains' whole batches, the nuclear-norm Wasserstein discrepancy is

    NWD = |P_source|_* / n_source - |P_target|_* / n_target

  The head minimises `L_task - weight NWD`, the extractor `L_task + lambda(p) weight NWD`, by
  gradient reversal with `lambda(p) = 2 / (1 + exp(-10 p)) - 1`.

  Departs from the authors' code: lambda follows the share of the planned training that is done
  (Ganin et al., 2016), not a fixed 1,000 steps.

  Attributes:
    weight: Of the discrepancy (the paper's 1).
  """

  weight: Annotated[float, LogUniform(0.1, 10.0)] = 1.0

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, whose predictions are all the same."""
    del batch_size
    needs.classes(self)

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and the negative discrepancy."""
    source, target = self.outputs(batch)
    probabilities = (
      self._criticised(source, batch.source.flat(), context),
      self._criticised(target, batch.target, context),
    )
    discrepancy = losses.nuclear_wasserstein_discrepancy(*map(axis.gather, probabilities))
    return {
      'task': self.task_loss(source, batch.source),
      'discrepancy': -self.weight * discrepancy,
    }

  def _criticised(self, outputs: Outputs, examples: Examples, context: Context) -> jax.Array:
    """Returns the head's probabilities, whose gradient is reversed for the extractor."""
    features = gradient_reversal(outputs.features, context.ramp())
    return jax.nn.softmax(self.head(features, domain=examples.domain, train=True))
