"""The geodesic flow kernel: all subspaces on the way from the source's to the target's.

Gong, Shi, Sha, Grauman: *Geodesic flow kernel for unsupervised domain adaptation* (CVPR 2012).
"""

import dataclasses

import jax
import jax.numpy as jnp

from tlda.shallow.nearest_neighbour import Mapped
from tlda.shallow.shallow import Problem
from tlda.shallow.subspace_alignment import axes_of, check_axes


@jax.jit
def geodesic_flow(source: jax.Array, target: jax.Array) -> jax.Array:
  """Returns a factor F of the geodesic flow kernel: `F F'` is the mean of all projections.

  With principal angles t between the subspaces, the geodesic is `U cos(s t) + W sin(s t)` for s
  from 0 to 1, U spanning the source and W orthogonal to it. The integral over s of the projection
  onto it has, for each angle, a 2 x 2 block in the plane of its columns of U and W (the closed form
  of the paper), of which this takes the Cholesky factor.

  Args:
    source: `[features, d]`, orthonormal columns.
    target: `[features, d]`, the same.

  Returns:
    `[features, 2 d]`.
  """
  left, cosines, right = jnp.linalg.svd(source.T @ target)
  across = target @ right.T - source @ left * cosines
  sines = jnp.linalg.norm(across, axis=0)
  angles = jnp.arctan2(sines, cosines)
  # An angle that is 0 but for rounding has no plane of its own.
  there = sines > 1e-7
  across = jnp.where(there, across / jnp.where(there, sines, 1.0), 0.0)
  twice = jnp.where(there, 2 * angles, 1.0)
  ratio = jnp.where(there, jnp.sin(twice) / twice, 1.0)
  along, mixed = (1 + ratio) / 2, jnp.where(there, (1 - jnp.cos(twice)) / (2 * twice), 0.0)
  corner = mixed / jnp.sqrt(along)
  rest = jnp.sqrt(jnp.maximum((1 - ratio) / 2 - corner**2, 0.0))
  first = source @ left * jnp.sqrt(along) + across * corner
  return jnp.concatenate([first, across * rest], axis=1)


@dataclasses.dataclass(frozen=True)
class GFK(Mapped):
  """Measures distances by the kernel of the geodesic flow between subspaces (Gong et al., 2012).

  The subspaces are principal axes of each domain. The paper chooses their number by the
  disagreement of the subspaces; here it is given.

  Attributes:
    dimension: Of the subspaces; at most half of the features.
  """

  dimension: int = 20

  def maps(self, problem: Problem) -> tuple[jax.Array, jax.Array]:
    """Returns the examples where the kernel is a product of vectors."""
    check_axes(self.dimension, problem, share=0.5)
    factor = geodesic_flow(*axes_of(problem, self.dimension))
    return problem.source @ factor, problem.test @ factor
