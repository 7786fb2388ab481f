"""Kernel mean matching: weights under which the source has the target's mean in feature space.

Huang, Smola, Gretton, Borgwardt, Schölkopf: *Correcting sample selection bias by unlabeled data*
(NeurIPS 2006).
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
from jax import lax

from tlda.shallow.density_ratio import Reweighted
from tlda.shallow.linear import gaussian, median_squared_distance
from tlda.shallow.shallow import Problem, check_count, check_positive


@functools.partial(jax.jit, static_argnames='iterations')
def matched(
  kernel: jax.Array, between: jax.Array, bound: float, slack: float, iterations: int
) -> jax.Array:
  """Minimises `b' K b / 2 - k' b` over weights b, by accelerated projected gradients.

  The program of the paper, with k the sums of `between` times source over target examples.

  Args:
    kernel: K, `[n, n]`, of source examples, with elements from 0 to 1.
    between: `[n, m]`, of source with target examples.
    bound: Each weight is at most this,
    slack: and their mean at most this far from 1.
    iterations: Of the gradient.

  Returns:
    `[n]`.
  """
  n, m = between.shape
  wanted = n / m * jnp.sum(between, axis=1)
  step = 1 / jnp.max(jnp.sum(kernel, axis=1))  # The largest eigenvalue is at most a row's sum.

  def iterate(number: jax.Array, state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
    weights, ahead = state
    moved = projected(ahead - step * (kernel @ ahead - wanted), bound, slack)
    return moved, moved + number / (number + 3) * (moved - weights)

  start = jnp.ones(n)
  return lax.fori_loop(0, iterations, iterate, (start, start))[0]


@jax.jit
def projected(weights: jax.Array, bound: float, slack: float) -> jax.Array:
  """Returns the nearest weights `[n]` in `[0, bound]` whose mean is at most `slack` from 1."""
  clipped = lambda shift: jnp.clip(weights - shift, 0, bound)
  mean = jnp.mean(clipped(0.0))
  wanted = jnp.clip(mean, 1 - slack, 1 + slack)

  def halve(_: int, ends: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
    low, high = ends
    middle = (low + high) / 2
    above = jnp.mean(clipped(middle)) > wanted
    return jnp.where(above, middle, low), jnp.where(above, high, middle)

  ends = jnp.min(weights) - bound, jnp.max(weights)
  shift = sum(lax.fori_loop(0, 60, halve, ends)) / 2
  return clipped(jnp.where(mean == wanted, 0.0, shift))


@dataclasses.dataclass(frozen=True)
class KMM(Reweighted):
  """Matches the means of both domains in the space of a Gaussian kernel (Huang et al., 2006).

  The kernel's squared width is the median squared distance of all examples; the mean of the weights
  is at most `(sqrt(n) - 1) / sqrt(n)` from 1, as in the paper.

  Attributes:
    bound: The largest weight.
    iterations: Of the quadratic program's solver.
  """

  bound: float = 1000.0
  iterations: int = 1000

  def weights(self, problem: Problem) -> jax.Array:
    """Returns the weight of each source example."""
    check_positive('bound', self.bound)
    check_count('iterations', self.iterations)
    source, target = problem.source, problem.target
    width = median_squared_distance(jnp.concatenate([source, target]))
    slack = 1 - 1 / jnp.sqrt(len(source))
    kernels = gaussian(source, source, width), gaussian(source, target, width)
    return matched(*kernels, self.bound, slack, self.iterations)
