"""Transfer component analysis: directions along which the means of the domains agree.

Pan, Tsang, Kwok, Yang: *Domain adaptation via transfer component analysis* (IEEE Transactions on
Neural Networks, 2011).
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp

from tlda.shallow.linear import power, principal_axes, unit
from tlda.shallow.nearest_neighbour import Mapped
from tlda.shallow.shallow import Problem, check_dimension, check_positive


@functools.partial(jax.jit, static_argnames='dimension')
def components(
  rows: jax.Array, contrasts: jax.Array, dimension: int, regularization: float
) -> jax.Array:
  """Returns the directions that vary most for how much they tell the domains apart.

  The generalised eigenvectors a of `X' H X a = w (X' M X + r I) a` with the largest w, where H
  centres rows and M is the sum of `e e'` over contrasts e, scaled to the Frobenius norm 1. M has
  the rank of the contrasts: the matrix on the right is whitened by what it does to their few
  directions, and no matrix is factorised but the centred rows.

  Args:
    rows: X, `[n, d]`.
    contrasts: `[n, c]`, columns whose products with X are to be small.
    dimension: How many; at most the smaller of n and d.
    regularization: r, above 0.

  Returns:
    `[d, dimension]`, columns of length 1.
  """
  norm = jnp.linalg.norm(contrasts.T @ contrasts)
  directions, sizes, _ = jnp.linalg.svd(rows.T @ contrasts, full_matrices=False)
  shrink = 1 - jnp.sqrt(regularization / (regularization + sizes**2 / norm))
  whiten = lambda x: x - (x @ directions * shrink) @ directions.T
  return unit(whiten(principal_axes(whiten(rows), dimension).T)).T


@jax.jit
def linear_kernel(rows: jax.Array) -> jax.Array:
  """Returns the matrix P that makes of rows X those of the kernel `X X'`, in fewer columns.

  Where there are less features than examples these are coordinates in the kernel's range, of equal
  lengths and angles: `X (X' X)^(1/2)`.

  Args:
    rows: X, `[n, d]`.

  Returns:
    `[d, min(n, d)]`.
  """
  n, d = rows.shape
  return power(rows.T @ rows, 0.5) if d < n else rows.T


def domain_contrast(source: int, target: int) -> jax.Array:
  """Returns the column whose product with rows is the difference of the domains' means."""
  return jnp.concatenate([jnp.full(source, 1 / source), jnp.full(target, -1 / target)])


@dataclasses.dataclass(frozen=True)
class TCA(Mapped):
  """Keeps the components along which the domains' means agree (Pan et al., 2011).

  The kernel is linear, of examples that are scaled to length 1. So are the eigenvectors, and then
  the mapped examples, as in public code (jindongwang/transferlearning). Under the paper's
  constraint all components vary alike, which costs two to four points on Office-Caltech10.

  Attributes:
    dimension: How many components are kept.
    regularization: Weight of the norm of the components' coefficients.
  """

  dimension: int = 30
  regularization: float = 1.0

  def maps(self, problem: Problem) -> tuple[jax.Array, jax.Array]:
    """Returns the examples along the components."""
    rows = check_components(self.dimension, self.regularization, problem)
    contrast = domain_contrast(len(problem.source), len(problem.target))
    kernel = linear_kernel(rows)
    found = components(rows @ kernel, contrast[:, None], self.dimension, self.regularization)
    source, test = unit(problem.source) @ kernel, unit(problem.test) @ kernel
    return unit(source @ found), unit(test @ found)


def check_components(dimension: int, regularization: float, problem: Problem) -> jax.Array:
  """Returns the examples of both domains at length 1, once the settings fit them.

  Raises:
    UserError: The data have no so many components, or the regularization is not above 0.
  """
  rows = unit(jnp.concatenate([problem.source, problem.target]))
  check_dimension(dimension, min(rows.shape), f'{rows.shape[0]} examples x {rows.shape[1]}')
  check_positive('regularization', regularization)
  return rows
