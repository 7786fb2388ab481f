"""Adaptive feature norm (Xu et al., 2019)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Terms
from tlda.ranges import LogUniform, Uniform


class AFN(Method):
  """Enlarges the norms of features in both domains.

  Xu, Li, Yang, Lin: *Larger Norm More Transferable: An Adaptive Feature Norm Approach for
  Unsupervised Domain Adaptation*, ICCV 2019. Hard (HAFN, the default), of mean norms,

    L_task + weight ((mean_source |f(x)| - radius)^2 + (mean_target |f(x)| - radius)^2)

  Stepwise (SAFN), for every example x of either domain,

    L_task + weight mean_x (|f(x)| - (|f_before(x)| + step))^2

  where the norm of the present weights, held, stands for `f_before`. This term is always
  `weight step^2`, for only its gradient says something; what it does is seen in
  `monitor/source_norm` and `monitor/target_norm`. It has no fixed point. The paper's features end
  in batch normalisation, above a pretrained network that learns slowly, and grow steadily; where
  nothing normalises them, as in the digit networks, growth feeds on itself until training diverges,
  unless `weight` is much smaller.

  Departs from the authors' code: that averages each domain for itself and adds the two, which is
  twice the paper's stepwise term (a weight of 0.1 here). Dropout before the norm is the extractor's
  business.

  Attributes:
    stepwise: Whether each norm grows from where it is, instead of the mean norms to one radius.
    weight: Of the norms (the paper's 0.05).
    step: By how much each norm should grow, if stepwise (the paper's 1).
    radius: The mean norm to reach, if not stepwise (the paper's 25); it should be within reach of
      the features.
  """

  stepwise: bool = False
  weight: Annotated[float, LogUniform(0.005, 0.5)] = 0.05
  step: float = 1.0
  radius: Annotated[float, Uniform(5.0, 50.0)] = 25.0

  def check(self, batch_size: int) -> None:
    """Refuses norms that would shrink."""
    del batch_size
    needs.above(self, 0, 'step', 'radius')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and the loss of the norms; watches the mean norms."""
    source, target = self.outputs(batch)
    features = source.features, target.features
    if self.stepwise:
      norm = losses.stepwise_feature_norm(jnp.concatenate(features), step=self.step).mean()
    else:
      norm = sum(losses.hard_feature_norm(axis.gather(x), radius=self.radius) for x in features)
    watched = [jnp.linalg.norm(jax.lax.stop_gradient(x), axis=-1).mean() for x in features]
    return {
      'task': self.task_loss(source, batch.source),
      'norm': self.weight * norm,
      'monitor/source_norm': watched[0],
      'monitor/target_norm': watched[1],
    }
