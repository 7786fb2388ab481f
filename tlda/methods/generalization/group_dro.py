"""Distributionally robust optimisation over groups (Sagawa et al., 2020)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda import axis
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.generalization.generalization import Generalization
from tlda.methods.method import States, Terms, Variables
from tlda.ranges import LogUniform


class GroupDRO(Generalization):
  """Learns the mixture of sources that is worst for the network, which follows the worst source.

  Sagawa, Koh, Hashimoto, Liang: *Distributionally Robust Neural Networks for Group Shifts: On the
  Importance of Regularization for Worst-Case Generalization*, ICLR 2020, algorithm 1. With the risk
  R_e of source e and weights q, which are uniform at first, each step is

    q_e <- q_e exp(rate R_e) / sum_d q_d exp(rate R_d),  then descent on sum_e q_e R_e.

  The collection 'weights' holds log q: a source that was easy for long can become hard again.

  Departs from the paper: each step sees a batch of every source, not of one that is drawn.

  Attributes:
    rate: How fast the weights follow the risks (the paper's eta_q, 0.01).
  """

  rate: Annotated[float, LogUniform(0.001, 0.1)] = 0.01

  def check(self, batch_size: int) -> None:
    """Refuses a single source, and weights that leave the worst source."""
    super().check(batch_size)
    needs.at_least(self, 0, 'rate')

  def initial_states(self, variables: Variables) -> States:
    """Returns the logarithms of uniform weights."""
    del variables
    count = len(self.spec.sources)
    return {'weights': {'logarithms': jnp.full(count, -jnp.log(count))}}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the weighted risk, once the weights have moved."""
    del context
    risks = self.risks(self.by_source(batch), batch.source)
    seen = jax.lax.stop_gradient(axis.mean(risks))
    weights = jax.nn.log_softmax(self.get_variable('weights', 'logarithms') + self.rate * seen)
    self.put_variable('weights', 'logarithms', weights)
    return {'task': (jnp.exp(weights) * risks).sum()}
