"""Correlation alignment across sources (Sun and Saenko, 2016)."""

import jax
import jax.numpy as jnp

from tlda import losses
from tlda.methods.generalization.pairwise import Pairwise


class CORALAcross(Pairwise):
  """Draws the means and covariances of the features of all sources together.

  Sun, Saenko: *Deep CORAL: Correlation Alignment for Deep Domain Adaptation*, ECCV workshops 2016,
  between each two sources, as Gulrajani, Lopez-Paz: *In Search of Lost Domain Generalization*, ICLR
  2021, have it. With means m and covariances C of d features, and the risk R_e of source e,

    mean_e R_e + weight mean_{e < f} (|m_e - m_f|^2 / d + |C_e - C_f|_F^2 / d^2)

  Departs from Deep CORAL, as that comparison does: means are aligned too, features and not logits,
  and the distance between covariances is 4 times that of `deep_coral`.

  Attributes:
    weight: Of the distance (1 in the comparison).
  """

  def distance(self, one: jax.Array, other: jax.Array) -> jax.Array:
    """Returns the mean squared differences of means and of covariances, a scalar."""
    means = jnp.mean((one.mean(0) - other.mean(0)) ** 2)
    return means + 4 * losses.coral(one, other)
