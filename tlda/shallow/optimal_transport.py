"""Optimal transport mapping: each source example goes to where its mass in the target lies.

Courty, Flamary, Tuia, Rakotomamonjy: *Optimal transport for domain adaptation* (IEEE PAMI, 2017),
with the entropy of Cuturi (NeurIPS 2013).
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
from jax import lax
from jax.nn import logsumexp

from tlda.shallow.linear import squared_distances
from tlda.shallow.nearest_neighbour import Mapped
from tlda.shallow.shallow import Problem, check_count, check_positive


@functools.partial(jax.jit, static_argnames='iterations')
def transported(
  source: jax.Array, target: jax.Array, regularization: float, iterations: int
) -> jax.Array:
  """Moves source examples to the barycentres of what the transport plan gives them.

  Args:
    source: `[n, d]`, of equal mass.
    target: `[m, d]`, of equal mass.
    regularization: Weight of the plan's entropy, as a share of the mean squared distance.
    iterations: Of Sinkhorn, in logarithms.

  Returns:
    `[n, d]`.
  """
  cost = squared_distances(source, target)
  mean = jnp.mean(cost)
  cost = cost / (regularization * jnp.where(mean > 0, mean, 1.0))
  n, m = cost.shape

  def iterate(_: int, g: jax.Array) -> jax.Array:
    f = -logsumexp(g[None] - cost, axis=1) - jnp.log(n)
    return -logsumexp(f[:, None] - cost, axis=0) - jnp.log(m)

  g = lax.fori_loop(0, iterations, iterate, jnp.zeros(m))
  # Rows of the plan have exactly their mass.
  return jax.nn.softmax(g[None] - cost, axis=1) @ target


@dataclasses.dataclass(frozen=True)
class OptimalTransport(Mapped):
  """Transports the source to the target at the least squared distance (Courty et al., 2017).

  Attributes:
    regularization: Weight of the plan's entropy, as a share of the mean squared distance.
    iterations: Of Sinkhorn.
  """

  regularization: float = 0.01
  iterations: int = 200

  def maps(self, problem: Problem) -> tuple[jax.Array, jax.Array]:
    """Returns the transported source, and the test examples as they are."""
    check_positive('regularization', self.regularization)
    check_count('iterations', self.iterations)
    moved = transported(problem.source, problem.target, self.regularization, self.iterations)
    return moved, problem.test
