"""The density ratio of least squared error, in closed form.

Kanamori, Hido, Sugiyama: *A least-squares approach to direct importance estimation* (JMLR 2009):
unconstrained least-squares importance fitting.
"""

import dataclasses
import itertools

import jax
import jax.numpy as jnp

from tlda.shallow import density_ratio
from tlda.shallow.linear import gaussian
from tlda.shallow.shallow import Problem, check_count

REGULARIZATIONS = (1e-3, 1e-2, 1e-1, 1.0)


def ratio(source: jax.Array, target: jax.Array, regularization: float) -> jax.Array:
  """Returns the coefficients of kernels whose sum is nearest to the ratio, negative ones as 0.

  Args:
    source: `[source examples, kernels]`, values of the kernels.
    target: `[target examples, kernels]`.
    regularization: Of the squared coefficients, above 0.

  Returns:
    `[kernels]`, equation 18 of the paper.
  """
  moments = source.T @ source / len(source) + regularization * jnp.eye(source.shape[1])
  return jnp.maximum(jnp.linalg.solve(moments, jnp.mean(target, axis=0)), 0)


def error(source: jax.Array, target: jax.Array, found: jax.Array) -> jax.Array:
  """Returns the squared error of a ratio, half and up to a constant: equation 5 of the paper."""
  return jnp.mean((source @ found) ** 2) / 2 - jnp.mean(target @ found)


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
    fold = [density_ratio.folds(x) for x in rows]
    numbers = range(min(max(x) for x in fold) + 1)

    def held_out(candidate: tuple[jax.Array, float]) -> float:
      width, regularization = candidate
      values = [gaussian(x, centers, width) for x in rows]
      rest = lambda n: [x[f != n] for x, f in zip(values, fold, strict=True)]
      held = lambda n: [x[f == n] for x, f in zip(values, fold, strict=True)]
      errors = [error(*held(n), ratio(*rest(n), regularization)) for n in numbers]
      return -float(sum(errors))

    candidates = itertools.product(density_ratio.widths(problem.target), REGULARIZATIONS)
    width, regularization = max(candidates, key=held_out)
    values = [gaussian(x, centers, width) for x in rows]
    return values[0] @ ratio(*values, regularization)
