"""Deep joint distribution optimal transport (Damodaran et al., 2018)."""

from typing import Annotated

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Terms
from tlda.ranges import LogUniform


class DeepJDOT(Method):
  """Carries labelled source features to target features that are predicted alike.

  Damodaran, Kellenberger, Flamary, Tuia, Courty: *DeepJDOT: Deep Joint Distribution Optimal
  Transport for Unsupervised Domain Adaptation*, ECCV 2018. With features g, predictions f and the
  plan P of a batch, which is optimal for the cost in the sum and held constant,

    L_task + sum_ij P_ij (feature_weight |g(x_i) - g(x_j)|^2 + label_weight L(y_i, f(g(x_j))))

  for source examples i and target examples j, and cross-entropy L.

  Departs from the paper: the plan is regularised by entropy, so that it is computed in the graph,
  where the paper solves a linear program on the host; a small `regularization` with more
  `iterations` comes near it. The authors' code prices labels in the plan by squared distances of
  probabilities, balances the classes of source batches of 500, and starts from a network that was
  trained on the source.

  Attributes:
    feature_weight: Of the distance of features (the authors' 0.001 for digits).
    label_weight: Of the cross-entropy of labels (the authors' 0.0001 for digits).
    regularization: Of the plan, as a share of the mean cost.
    iterations: Of Sinkhorn.
  """

  feature_weight: Annotated[float, LogUniform(1e-4, 1e-2)] = 1e-3
  label_weight: Annotated[float, LogUniform(1e-5, 1e-3)] = 1e-4
  regularization: float = 0.05
  iterations: int = 50

  def check(self, batch_size: int) -> None:
    """Refuses a plan that is not regularised, or never computed."""
    del batch_size
    needs.above(self, 0, 'regularization')
    needs.at_least(self, 1, 'iterations')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and the cost of transport."""
    source, target = self.outputs(batch)
    cost = losses.joint_distribution_transport(
      axis.gather(source.features),
      axis.gather(target.features),
      axis.gather(batch.source.flat().labels),
      axis.gather(target.logits),
      feature_weight=self.feature_weight,
      label_weight=self.label_weight,
      regularization=self.regularization,
      iterations=self.iterations,
    )
    return {'task': self.task_loss(source, batch.source), 'transport': cost}
