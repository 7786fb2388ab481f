"""Alignment of features by the Sinkhorn divergence (Genevay et al., 2018; Feydy et al., 2019)."""

from typing import Annotated

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Terms
from tlda.ranges import LogUniform


class SinkhornAlignment(Method):
  """Carries source features to target features along a plan of optimal transport.

  Genevay, Peyré, Cuturi: *Learning Generative Models with Sinkhorn Divergences*, AISTATS 2018;
  Feydy, Séjourné, Vialard, Amari, Trouvé, Peyré: *Interpolating between Optimal Transport and MMD
  using Sinkhorn Divergences*, AISTATS 2019. With OT the cost of transport at squared distances of
  features, regularised by entropy,

    L_task + weight (OT(s, t) - OT(s, s) / 2 - OT(t, t) / 2)

  Those papers fit generators; as a way to align domains this is the library's own, and the baseline
  of what transport does without labels (see `deep_jdot`). The gradient is that of the optimal
  potentials, as in Feydy et al.; Genevay et al. differentiate the iterations.

  Attributes:
    weight: Of the divergence, which has the unit of squared features.
    regularization: Of the plan, as a share of the mean squared distance.
    iterations: Of Sinkhorn.
  """

  weight: Annotated[float, LogUniform(0.001, 0.1)] = 0.01
  regularization: float = 0.05
  iterations: int = 50

  def check(self, batch_size: int) -> None:
    """Refuses a plan that is not regularised, or never computed."""
    del batch_size
    needs.above(self, 0, 'regularization')
    needs.at_least(self, 1, 'iterations')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and the Sinkhorn divergence of features."""
    source, target = self.outputs(batch)
    divergence = losses.sinkhorn_divergence(
      axis.gather(source.features),
      axis.gather(target.features),
      regularization=self.regularization,
      iterations=self.iterations,
    )
    return {'task': self.task_loss(source, batch.source), 'transport': self.weight * divergence}
