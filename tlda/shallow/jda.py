"""Joint distribution adaptation: components along which the means of each class agree as well.

Long, Wang, Ding, Sun, Yu: *Transfer feature learning with joint distribution adaptation* (ICCV
2013).
"""

import dataclasses

import jax
import jax.numpy as jnp

from tlda.shallow.linear import unit
from tlda.shallow.nearest_neighbour import Mapped, nearest
from tlda.shallow.shallow import Problem, check_count
from tlda.shallow.tca import check_components, components, domain_contrast, linear_kernel


@dataclasses.dataclass(frozen=True)
class JDA(Mapped):
  """Repeats TCA with the means of each class, of predicted ones in the target (Long et al., 2013).

  Attributes:
    dimension: How many components are kept.
    regularization: Weight of the norm of the components' coefficients.
    iterations: How often the target is predicted and the components are found again.
  """

  dimension: int = 30
  regularization: float = 1.0
  iterations: int = 10

  def maps(self, problem: Problem) -> tuple[jax.Array, jax.Array]:
    """Returns the examples along the last components."""
    check_count('iterations', self.iterations)
    rows = check_components(self.dimension, self.regularization, problem)
    kernel = linear_kernel(rows)
    rows = rows @ kernel
    source, target = jnp.split(rows, [len(problem.source)])
    one_hot, predicted = problem.one_hot(), jnp.zeros((len(target), problem.classes))
    # As many times as there are classes, so that both kinds of means weigh the same.
    domains = jnp.sqrt(problem.classes) * domain_contrast(len(source), len(target))
    for _ in range(self.iterations):
      contrasts = jnp.concatenate([shares(one_hot), -shares(predicted)])
      contrasts = jnp.concatenate([domains[:, None], contrasts * jnp.any(predicted)], axis=1)
      found = components(rows, contrasts, self.dimension, self.regularization)
      mapped, guessed = unit(source @ found), unit(target @ found)
      scores = nearest(mapped, problem.labels, guessed, problem.classes)
      predicted = jax.nn.one_hot(jnp.argmax(scores, axis=1), problem.classes)
    return mapped, unit(unit(problem.test) @ kernel @ found)


@jax.jit
def shares(one_hot: jax.Array) -> jax.Array:
  """Returns columns of sum 1; those of classes without an example stay 0."""
  return one_hot / jnp.maximum(jnp.sum(one_hot, axis=0), 1)
