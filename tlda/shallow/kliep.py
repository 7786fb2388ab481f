"""The density ratio under which the target is likeliest.

Sugiyama, Nakajima, Kashima, von Bünau, Kawanabe: *Direct importance estimation with model selection
and its application to covariate shift adaptation* (NeurIPS 2007): the Kullback-Leibler importance
estimation procedure.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
from jax import lax

from tlda.shallow import density_ratio
from tlda.shallow.density_ratio import mean
from tlda.shallow.linear import gaussian
from tlda.shallow.shallow import Problem, check_count

_LEAST = 1e-12  # Of a ratio whose logarithm is taken.


@functools.partial(jax.jit, static_argnames='iterations')
def ratio(source: jax.Array, target: jax.Array, chosen: jax.Array, iterations: int) -> jax.Array:
  """Returns the coefficients of kernels under whose sum the target is likeliest.

  The mean of the ratio over the source is 1, so that coefficients times kernels' means are the
  shares of a mixture. Expectation maximisation finds the only maximum, and never leaves the
  constraint (the paper climbs the gradient, and projects).

  Args:
    source: `[source examples, kernels]`, values of the kernels, 0 or above.
    target: `[target examples, kernels]`.
    chosen: bool `[target examples]`, which of these count.
    iterations: Of expectation maximisation.

  Returns:
    `[kernels]`.
  """
  means = jnp.maximum(jnp.mean(source, axis=0), _LEAST)
  densities = target / means

  def iterate(_: int, shares: jax.Array) -> jax.Array:
    joint = densities * shares
    return mean(joint / jnp.maximum(jnp.sum(joint, axis=1, keepdims=True), _LEAST), chosen)

  kernels = source.shape[1]
  return lax.fori_loop(0, iterations, iterate, jnp.full(kernels, 1 / kernels)) / means


@functools.partial(jax.jit, static_argnames='iterations')
def likelihood(source: jax.Array, target: jax.Array, held: jax.Array, iterations: int) -> jax.Array:
  """Returns the log-likelihood of target examples, each under the ratio that others gave.

  Args:
    source: `[source examples, kernels]`.
    target: `[target examples, kernels]`.
    held: bool `[folds, target examples]`.
    iterations: As in `ratio`.

  Returns:
    A scalar.
  """

  def of_fold(held: jax.Array) -> jax.Array:
    found = ratio(source, target, ~held, iterations)
    return jnp.sum(jnp.where(held, jnp.log(jnp.maximum(target @ found, _LEAST)), 0))

  return jnp.sum(jax.vmap(of_fold)(held))


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
    centers = density_ratio.centers(problem.target, self.kernels)
    held = density_ratio.folds(problem.target)
    values = lambda width: [gaussian(x, centers, width) for x in (problem.source, problem.target)]
    score = lambda width: float(likelihood(*values(width), held, self.iterations))
    source, target = values(max(density_ratio.widths(problem.target), key=score))
    return source @ ratio(source, target, held.any(axis=0), self.iterations)
