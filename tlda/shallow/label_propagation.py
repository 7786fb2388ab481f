"""Label propagation: labels flow along a graph of neighbours, from the source into the target.

Zhu, Ghahramani, Lafferty: *Semi-supervised learning using Gaussian fields and harmonic functions*
(ICML 2003): the fixed point where each unlabelled example says the weighted mean of its neighbours.
Zhu and Ghahramani (*Learning from labeled and unlabeled data with label propagation*, 2002)
normalise by the neighbour's degree first, and end elsewhere where degrees differ.
"""

import dataclasses
import functools
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import lax

from tlda.errors import UserError
from tlda.shallow.linear import squared_distances
from tlda.shallow.shallow import Problem, Shallow

# What an example knows without a neighbour, as a share of what its neighbours say: where no path
# leads to a label, this keeps the answer finite.
_PRIOR = 1e-9


@functools.partial(jax.jit, static_argnames='neighbours')
def graph(rows: jax.Array, neighbours: int) -> jax.Array:
  """Returns the weights of edges to nearest neighbours, of either to the other.

  Args:
    rows: `[n, d]`.
    neighbours: Of each row, below n.

  Returns:
    Symmetric `[n, n]` with a diagonal of 0: `exp(-distance^2 / (2 s))`, s the mean squared distance
    between neighbours.
  """
  n = len(rows)
  distances = squared_distances(rows, rows).at[jnp.diag_indices(n)].set(jnp.inf)
  smallest, places = lax.top_k(-distances, neighbours)
  scale = -jnp.mean(smallest)
  weights = jnp.exp(smallest / (2 * jnp.where(scale > 0, scale, 1.0)))
  edges = jnp.zeros((n, n)).at[jnp.arange(n)[:, None], places].set(weights)
  return jnp.maximum(edges, edges.T)


@jax.jit
def harmonic(edges: jax.Array, one_hot: jax.Array) -> jax.Array:
  """Returns what is the mean of its neighbours everywhere but at the labels.

  Args:
    edges: `[n, n]`, symmetric, 0 or above.
    one_hot: `[labelled, classes]`, of the first rows.

  Returns:
    `[n - labelled, classes]`, rows of sum 1.
  """
  labelled, classes = one_hot.shape
  inside, across = edges[labelled:, labelled:], edges[labelled:, :labelled]
  degrees = jnp.sum(edges[labelled:], axis=1)
  prior = _PRIOR * jnp.where(degrees > 0, degrees, 1.0)
  system = jnp.diag(degrees + prior) - inside
  return jnp.linalg.solve(system, across @ one_hot + prior[:, None] / classes)


@dataclasses.dataclass(frozen=True)
class LabelPropagation(Shallow):
  """Propagates labels over the nearest neighbours of both domains (Zhu and Ghahramani, 2002).

  It answers the test examples together: a neighbour of theirs is one of them, or of the source.

  Attributes:
    neighbours: Of each example in the graph.
  """

  transductive: ClassVar[bool] = True

  neighbours: int = 10

  def scores(self, problem: Problem) -> jax.Array:
    """Returns the probability of each class."""
    rows = jnp.concatenate([problem.source, problem.test])
    if not 1 <= self.neighbours < len(rows):
      raise UserError(f'{self.neighbours} neighbours cannot be had of {len(rows) - 1} others')
    return harmonic(graph(rows, self.neighbours), problem.one_hot())
