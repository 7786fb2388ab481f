"""Sliced Wasserstein discrepancy (Lee et al., 2019)."""

import jax

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Context
from tlda.methods.mcd import MCD


class SWD(MCD):
  """MCD whose two classifiers are compared by a transport distance of their predictions.

  Lee, Batra, Baig, Ulbricht: *Sliced Wasserstein Discrepancy for Unsupervised Domain Adaptation*,
  CVPR 2019. The three phases are those of MCD, with

    d = mean over random directions u of  mean over i of  (sorted(Y u)_i - sorted(Y' u)_i)^2

  for the probabilities Y of `head` and Y' of `other_head`, of the batch's target examples on all
  devices. Every pass draws new directions. The paper sums over examples; as in the authors' code it
  is the mean here, so that it does not grow with the batch.

  Attributes:
    projections: How many directions (M; the paper's 128).
  """

  projections: int = 128

  def check(self, batch_size: int) -> None:
    """Refuses what MCD refuses, and no direction."""
    super().check(batch_size)
    needs.at_least(self, 1, 'projections')

  def discrepancy(self, logits: jax.Array, other: jax.Array, context: Context) -> jax.Array:
    """Returns how much the two classifiers disagree on all devices' examples, a scalar."""
    return losses.sliced_wasserstein_discrepancy(
      axis.gather(logits),
      axis.gather(other),
      context.key('projections'),
      projections=self.projections,
    )
