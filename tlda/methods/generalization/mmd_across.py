"""Maximum mean discrepancy across sources (Li et al., 2018)."""

import jax

from tlda import losses
from tlda.methods import needs
from tlda.methods.generalization.pairwise import Pairwise


class MMDAcross(Pairwise):
  """Draws the kernel mean embeddings of the features of all sources together.

  Li, Pan, Wang, Kot: *Domain Generalization with Adversarial Feature Learning*, CVPR 2018.
  With the risk R_e of source e and a mean of Gaussian kernels k,

    mean_e R_e + weight mean_{e < f} |E_e k(x, .) - E_f k(x, .)|^2

  Departs from the paper, as Gulrajani, Lopez-Paz: *In Search of Lost Domain Generalization*, ICLR
  2021, do: there is no autoencoder whose code an adversary draws to a prior. The widths of the
  kernels are powers of 2 around the mean squared distance, not fixed.

  Attributes:
    weight: Of the discrepancy.
    kernels: The number of Gaussian kernels.
  """

  kernels: int = 5

  def check(self, batch_size: int) -> None:
    """Refuses what the base refuses, and no kernel at all."""
    super().check(batch_size)
    needs.at_least(self, 1, 'kernels')

  def distance(self, one: jax.Array, other: jax.Array) -> jax.Array:
    """Returns the squared maximum mean discrepancy, a scalar."""
    return losses.maximum_mean_discrepancy(one, other, kernels=self.kernels)
