"""Principal components of both domains together.

Jolliffe: *Principal Component Analysis* (1986); as a baseline of domain adaptation by Pan et al.
(2011).
"""

import dataclasses

import jax
import jax.numpy as jnp

from tlda.shallow.linear import principal_axes
from tlda.shallow.nearest_neighbour import Mapped
from tlda.shallow.shallow import Problem, check_dimension


@dataclasses.dataclass(frozen=True)
class PCA(Mapped):
  """Finds the nearest source example along the principal axes of both domains (Jolliffe, 1986).

  Attributes:
    dimension: How many principal axes are kept.
  """

  dimension: int = 30

  def maps(self, problem: Problem) -> tuple[jax.Array, jax.Array]:
    """Returns the coordinates along the axes."""
    rows = jnp.concatenate([problem.source, problem.target])
    check_dimension(self.dimension, min(rows.shape), f'{rows.shape[0]} examples x {rows.shape[1]}')
    axes = principal_axes(rows, self.dimension)
    return problem.source @ axes, problem.test @ axes
