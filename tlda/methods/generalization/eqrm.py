"""Quantile risk minimisation (Eastwood et al., 2022)."""

import jax
import jax.numpy as jnp
from jax.scipy.stats import norm

from tlda import axis
from tlda.errors import UserError
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.generalization.generalization import Generalization
from tlda.methods.method import Terms

# Each halves an interval as wide as the risks are apart: float32 has no more digits.
_HALVINGS = 30


class EQRM(Generalization):
  """Minimises the risk that a new domain will probably stay under.

  Eastwood, Robey, Singh, von Kuegelgen, Hassani, Pappas, Schoelkopf: *Probable Domain
  Generalization via Quantile Risk Minimization*, NeurIPS 2022, algorithm 1. Domains are draws, and
  so are their risks R; the density of those of the S sources is estimated by a Gaussian kernel of
  width 1.06 std(R) S^(-1/5), with distribution function F, and

    F^(-1)(quantile; R_1 .. R_S)

  is minimised. Its gradient is exact (the implicit function theorem), the width's included.

  Departs from the authors' code: it differentiates the steps of its search, and offers quantiles
  so near 1 that only their logarithm can be told from 0.

  Attributes:
    quantile: The probability with which a new domain's risk should be lower (the paper's alpha;
      0.75 in the authors' code for DomainBed).
    begin: The share of training before which it is the mean of the risks (2,500 of 5,000 steps in
      the authors' code).
  """

  quantile: float = 0.75
  begin: float = 0.5

  def check(self, batch_size: int) -> None:
    """Refuses a single source, and a quantile that no risk or every risk is below."""
    super().check(batch_size)
    needs.shares(self, 'begin')
    if not 0 < self.quantile < 1:
      raise UserError(f'quantile must be above 0 and below 1, not {self.quantile}')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the mean of the risks at first, then their quantile."""
    risks = axis.mean(self.risks(self.by_source(batch), batch.source))
    early = context.progress < self.begin
    return {'task': jnp.where(early, risks.mean(), kernel_quantile(risks, self.quantile))}


def kernel_quantile(values: jax.Array, share: float) -> jax.Array:
  """Returns the quantile of a Gaussian kernel density estimate, a scalar.

  Args:
    values: `[n]`, 2 or more.
    share: The probability below the quantile, above 0 and below 1.
  """
  # The floor keeps the slope of the root finite where all values are equal.
  width = 1.06 * jnp.sqrt(jnp.maximum(values.var(ddof=1), 1e-12)) * len(values) ** -0.2
  below = lambda point, values, width: norm.cdf(point, values, width).mean()
  held = jax.lax.stop_gradient((values, width))
  # A mixture's quantile lies between those of its parts.
  reach = held[1] * norm.ppf(share)

  def halve(_: int, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
    low, high = ends
    middle = (low + high) / 2
    short = below(middle, *held) < share
    return jnp.where(short, middle, low), jnp.where(short, high, middle)

  ends = held[0].min() + reach, held[0].max() + reach
  point = sum(jax.lax.fori_loop(0, _HALVINGS, halve, ends)) / 2
  # A last step of Newton's, which has the derivative of the implicit function.
  density = norm.pdf(point, *held).mean()
  return point - (below(point, values, width) - share) / density
