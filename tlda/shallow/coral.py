"""Correlation alignment: the source is given the covariance of the target.

Sun, Feng, Saenko: *Return of frustratingly easy domain adaptation* (AAAI 2016).
"""

import dataclasses

import jax
import jax.numpy as jnp

from tlda.shallow.linear import power
from tlda.shallow.shallow import Problem, Shallow, check_positive
from tlda.shallow.svm import machine_scores


@jax.jit
def recolored(source: jax.Array, target: jax.Array, regularization: float) -> jax.Array:
  """Whitens the source by its covariance, and colours it by the target's.

  Args:
    source: `[source examples, features]`.
    target: `[target examples, features]`.
    regularization: Is added to the variances of both, so that they can be divided by; above 0.

  Returns:
    `[source examples, features]`, algorithm 1 of the paper.
  """
  ridge = regularization * jnp.eye(source.shape[1])
  covariances = [jnp.atleast_2d(jnp.cov(x, rowvar=False)) + ridge for x in (source, target)]
  return source @ power(covariances[0], -0.5) @ power(covariances[1], 0.5)


@dataclasses.dataclass(frozen=True)
class CORAL(Shallow):
  """Gives the source the covariance of the target, and separates it there (Sun et al., 2016).

  The classifier is the paper's linear support vector machine, with c chosen by cross-validation on
  the aligned source.

  Attributes:
    regularization: Added to the variances of both domains.
    c: Price of an error; 0 chooses it.
  """

  regularization: float = 1.0
  c: float = 0.0

  def scores(self, problem: Problem) -> jax.Array:
    """Returns the votes for each class."""
    check_positive('regularization', self.regularization)
    source = recolored(problem.source, problem.target, self.regularization)
    return machine_scores(source, problem.labels, problem.test, c=self.c)
