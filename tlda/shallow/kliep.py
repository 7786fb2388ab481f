"""The density ratio under which the target is likeliest.

Sugiyama, Nakajima, Kashima, von Bünau, Kawanabe: *Direct importance estimation with model selection
and its application to covariate shift adaptation* (NeurIPS 2007): the Kullback-Leibler importance
estimation procedure.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tlda.shallow import density_ratio
from tlda.shallow.linear import gaussian
from tlda.shallow.shallow import Problem, check_count

_LEAST = 1e-12  # Of a ratio whose logarithm is taken.


def ratio(source: jax.Array, target: jax.Array, iterations: int) -> jax.Array:
  """Returns the coefficients of kernels under whose sum the target is likeliest.

  The mean of the ratio over the source is 1, so that coefficients times kernels' means are the
  shares of a mixture. Expectation maximisation finds the only maximum, and never leaves the
  constraint (the paper climbs the gradient, and projects).

  Args:
    source: `[source examples, kernels]`, values of the kernels, 0 or above.
    target: `[target examples, kernels]`.
    iterations: Of expectation maximisation.

  Returns:
    `[kernels]`.
  """
  means = jnp.maximum(jnp.mean(source, axis=0), _LEAST)
  densities = target / means

  def iterate(_: int, shares: jax.Array) -> jax.Array:
    joint = densities * shares
    return jnp.mean(joint / jnp.maximum(jnp.sum(joint, axis=1, keepdims=True), _LEAST), axis=0)

  kernels = source.shape[1]
  return lax.fori_loop(0, iterations, iterate, jnp.full(kernels, 1 / kernels)) / means


@dataclasses.dataclass(frozen=True)
class KLIEP(density_ratio.Reweighted):
  """Estimates the density ratio by likelihood, and its kernels' width too (Sugiyama et al., 2007).

  The width is the one with the best likelihood of held-out target examples, in five folds.

  Attributes:
    kernels: At most how many Gaussians, around target examples.
    iterations: Of expectation maximisation.
  """

  kernels: int = 100
  iterations: int = 500

  def weights(self, problem: Problem) -> jax.Array:
    """Returns the ratio at each source example."""
    check_count('kernels', self.kernels)
    check_count('iterations', self.iterations)
    source, target = problem.source, problem.target
    centers, fold = density_ratio.centers(target, self.kernels), density_ratio.folds(target)

    def held_out(width: jax.Array) -> float:
      values = gaussian(source, centers, width), gaussian(target, centers, width)
      total = 0.0
      for number in np.unique(fold):
        found = ratio(values[0], values[1][fold != number], self.iterations)
        total += jnp.sum(jnp.log(jnp.maximum(values[1][fold == number] @ found, _LEAST)))
      return float(total)

    width = max(density_ratio.widths(target), key=held_out)
    values = gaussian(source, centers, width), gaussian(target, centers, width)
    return values[0] @ ratio(*values, self.iterations)
