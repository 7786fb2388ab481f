"""Risk extrapolation by the variance of risks (Krueger et al., 2021)."""

from typing import Annotated

from tlda import axis
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.generalization.generalization import Generalization, stepped
from tlda.methods.method import Terms
from tlda.ranges import LogUniform


class VREx(Generalization):
  """Makes the risks of all sources equal, so that a shift of their mixture costs nothing.

  Krueger, Caballero, Jacobsen, Zhang, Binas, Zhang, Le Priol, Courville: *Out-of-Distribution
  Generalization via Risk Extrapolation (REx)*, ICML 2021, eq. 8, with the risk R_e of source e:

    mean_e R_e + weight var_e R_e

  Departs from the paper: the mean of risks, not their sum, so that its beta is divided by the
  number of sources here.

  Attributes:
    weight: Of the variance (the paper's beta).
    begin: The share of training before which the weight is 1, so that risks fall first.
  """

  weight: Annotated[float, LogUniform(0.1, 1e5)] = 10.0
  begin: float = 0.0

  def check(self, batch_size: int) -> None:
    """Refuses a single source, a negative weight, and a beginning that is no share."""
    super().check(batch_size)
    needs.at_least(self, 0, 'weight')
    needs.shares(self, 'begin')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the mean and the variance of the risks."""
    risks = self.risks(self.by_source(batch), batch.source)
    weight = stepped(context, self.weight, self.begin)
    return {'task': risks.mean(), 'variance': weight * axis.mean(risks).var()}
