"""The density ratio of least squared error, in closed form.

Kanamori, Hido, Sugiyama: *A least-squares approach to direct importance estimation* (JMLR 2009):
unconstrained least-squares importance fitting.
"""

import dataclasses
import itertools

import jax
import jax.numpy as jnp

from tlda.shallow import density_ratio
from tlda.shallow.density_ratio import mean
from tlda.shallow.linear import gaussian
from tlda.shallow.shallow import Problem, check_count

REGULARIZATIONS = (1e-3, 1e-2, 1e-1, 1.0)


@dataclasses.dataclass(frozen=True)
class ULSIF(density_ratio.Reweighted):
  """Estimates the density ratio by least squares (Kanamori et al., 2009).

  Kernels' width and regularization are those with the least error on held-out examples of both
  domains, in five folds (the paper leaves one out).

  Attributes:
    kernels: At most how many Gaussians, around target examples.
  """

  kernels: int = 100

  def weights(self, problem: Problem) -> jax.Array:
    """Returns the ratio at each source example."""
    check_count('kernels', self.kernels)
    rows = problem.source, problem.target
    centers = density_ratio.centers(problem.target, self.kernels)
    held = [density_ratio.folds(x) for x in rows]
    values = lambda width: [gaussian(x, centers, width) for x in rows]

    def error(candidate: tuple[jax.Array, float]) -> float:
      width, regularization = candidate
      return float(held_out_error(*values(width), *held, regularization))

    candidates = itertools.product(density_ratio.widths(problem.target), REGULARIZATIONS)
    width, regularization = min(candidates, key=error)
    source, target = values(width)
    return source @ ratio(source, target, *(x.any(axis=0) for x in held), regularization)


@jax.jit
def ratio(
  source: jax.Array,
  target: jax.Array,
  source_chosen: jax.Array,
  target_chosen: jax.Array,
  regularization: float,
) -> jax.Array:
  """Returns the coefficients of kernels whose sum is nearest to the ratio, negative ones as 0.

  Args:
    source: `[source examples, kernels]`, values of the kernels.
    target: `[target examples, kernels]`.
    source_chosen: bool `[source examples]`, which of these count.
    target_chosen: bool `[target examples]`.
    regularization: Of the squared coefficients, above 0.

  Returns:
    `[kernels]`.
  """
  counted = jnp.where(source_chosen[:, None], source, 0)
  moments = counted.T @ source / jnp.maximum(jnp.sum(source_chosen), 1)
  system = moments + regularization * jnp.eye(source.shape[1])
  return jnp.maximum(jnp.linalg.solve(system, mean(target, target_chosen)), 0)


@jax.jit
def held_out_error(
  source: jax.Array,
  target: jax.Array,
  source_held: jax.Array,
  target_held: jax.Array,
  regularization: float,
) -> jax.Array:
  """Returns the squared error of the ratio on examples that did not count for it.

  Args:
    source: `[source examples, kernels]`.
    target: `[target examples, kernels]`.
    source_held: bool `[folds, source examples]`.
    target_held: bool `[folds, target examples]`.
    regularization: As in `ratio`.

  Returns:
    A scalar, half the sum over folds up to a constant that no ratio changes.
  """

  def of_fold(source_held: jax.Array, target_held: jax.Array) -> jax.Array:
    found = ratio(source, target, ~source_held, ~target_held, regularization)
    return mean((source @ found) ** 2, source_held) / 2 - mean(target @ found, target_held)

  return jnp.sum(jax.vmap(of_fold)(source_held, target_held))
