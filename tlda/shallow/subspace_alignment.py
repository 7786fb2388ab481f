"""Subspace alignment: the source's principal axes are turned to the target's.

Fernando, Habrard, Sebban, Tuytelaars: *Unsupervised visual domain adaptation using subspace
alignment* (ICCV 2013).
"""

import dataclasses

import jax

from tlda.shallow.linear import principal_axes
from tlda.shallow.nearest_neighbour import Mapped
from tlda.shallow.shallow import Problem, check_dimension


@dataclasses.dataclass(frozen=True)
class SubspaceAlignment(Mapped):
  """Aligns the principal axes S of the source with T of the target (Fernando et al., 2013).

  The source is mapped by `S S' T`, the target by `T`. The paper bounds the dimension by how stable
  the axes are; here it is given.

  Attributes:
    dimension: How many principal axes of each domain are kept.
  """

  dimension: int = 30

  def maps(self, problem: Problem) -> tuple[jax.Array, jax.Array]:
    """Returns the source in aligned axes, and the test examples in the target's."""
    check_axes(self.dimension, problem)
    source, target = axes_of(problem, self.dimension)
    return problem.source @ source @ (source.T @ target), problem.test @ target


def axes_of(problem: Problem, dimension: int) -> list[jax.Array]:
  """Returns the principal axes of source and target, each `[features, dimension]`."""
  return [principal_axes(rows, dimension) for rows in (problem.source, problem.target)]


def check_axes(dimension: int, problem: Problem, share: float = 1.0) -> None:
  """Refuses more axes than one of the domains has.

  Args:
    dimension: How many are asked for.
    problem: The domains.
    share: Of the features, that there may be axes at most.

  Raises:
    UserError: There are fewer.
  """
  examples = min(len(problem.source), len(problem.target))
  features = problem.source.shape[1]
  most = min(examples - 1, int(share * features))
  check_dimension(dimension, most, f'{examples} examples of {features} features')
