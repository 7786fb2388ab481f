"""Central moment discrepancy (Zellinger et al., 2017)."""

from typing import Annotated

import jax.numpy as jnp

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Terms
from tlda.ranges import LogUniform


class CMD(Method):
  """Draws the means and the central moments of each feature together.

  Zellinger, Grubinger, Lughofer, Natschläger, Saminger-Platz: *Central Moment Discrepancy (CMD) for
  Domain-Invariant Representation Learning*, ICLR 2017. With c_k the k-th central moment of each
  feature, in an interval of length |b - a|,

    L_task + weight (|E_s - E_t| / |b - a| + sum_{k = 2}^K |c_k,s - c_k,t| / |b - a|^k)

  The distance needs bounded features. The paper's hidden layer ends in a tanh or a sigmoid; here
  the distance sees the tanh of the extractor's features, whatever those are, and the network stays
  that of the other methods.

  Departs from the authors' code: that leaves |b - a| out, as if it were 1.

  Attributes:
    weight: Of the discrepancy (the paper's 1).
    moments: The highest order K (the paper's 5).
    span: The length |b - a|: 1 for the tanh of features that are not negative, such as those after
      a ReLU or a sigmoid; 2 for the tanh of others.
  """

  weight: Annotated[float, LogUniform(0.1, 10.0)] = 1.0
  moments: int = 5
  span: float = 1.0

  def check(self, batch_size: int) -> None:
    """Refuses a batch without moments, and moments without an order."""
    needs.examples(self, batch_size)
    needs.at_least(self, 1, 'moments')
    needs.above(self, 0, 'span')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and the central moment discrepancy of features."""
    source, target = self.outputs(batch)
    discrepancy = losses.central_moment_discrepancy(
      axis.gather(jnp.tanh(source.features)),
      axis.gather(jnp.tanh(target.features)),
      moments=self.moments,
      span=self.span,
    )
    return {'task': self.task_loss(source, batch.source), 'discrepancy': self.weight * discrepancy}
