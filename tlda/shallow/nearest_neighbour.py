"""The nearest source example: the baseline that adapts nothing, and the classifier of many others.

Cover, Hart: *Nearest neighbor pattern classification* (IEEE Transactions on Information Theory,
1967).
"""

import abc
import dataclasses
import functools

import jax

from tlda.shallow.linear import squared_distances
from tlda.shallow.shallow import Problem, Shallow


@functools.partial(jax.jit, static_argnames='classes')
def nearest(rows: jax.Array, labels: jax.Array, test: jax.Array, classes: int) -> jax.Array:
  """Scores classes by how near their nearest example is.

  Args:
    rows: `[n, d]`.
    labels: int `[n]`, each class at least once.
    test: `[m, d]`.
    classes: How many there are.

  Returns:
    `[m, classes]`, the negative squared distance to the nearest example of each class.
  """
  distances = squared_distances(test, rows).T
  return -jax.ops.segment_min(distances, labels, num_segments=classes).T


class Mapped(Shallow):
  """Maps both domains to where they are alike; the nearest mapped source example then decides."""

  @abc.abstractmethod
  def maps(self, problem: Problem) -> tuple[jax.Array, jax.Array]:
    """Returns the mapped source and test examples, `[examples, dimension]`."""

  def scores(self, problem: Problem) -> jax.Array:
    """Returns the negative squared distance to the nearest mapped example of each class."""
    source, test = self.maps(problem)
    return nearest(source, problem.labels, test, problem.classes)


@dataclasses.dataclass(frozen=True)
class NearestNeighbour(Mapped):
  """Predicts the class of the nearest source example (Cover and Hart, 1967); adapts nothing."""

  def maps(self, problem: Problem) -> tuple[jax.Array, jax.Array]:
    """Returns the examples as they are."""
    return problem.source, problem.test
