"""Easy transfer learning: target examples go to the nearest classes, and every class gets one.

Wang, Chen, Yu, Huang, Yang: *Easy transfer learning by exploiting intra-domain structures* (ICME
2019).
"""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from scipy import optimize, sparse

from tlda.errors import UserError
from tlda.shallow.coral import recolored
from tlda.shallow.jda import shares
from tlda.shallow.linear import squared_distances
from tlda.shallow.shallow import Problem, Shallow, check_positive


def assigned(distances: np.ndarray) -> np.ndarray:
  """Solves the intra-domain programming of the paper, a linear program.

  On the host, since JAX has no solver of linear programs.

  Args:
    distances: `[examples, classes]`, with no less examples than classes.

  Returns:
    `[examples, classes]`, the share of each class in each example: of all those with rows of sum 1
    and columns of sum 1 or more, the one of least distance.
  """
  examples, classes = distances.shape
  rows = sparse.kron(sparse.eye(examples), np.ones((1, classes)))
  columns = sparse.kron(np.ones((1, examples)), sparse.eye(classes))
  found = optimize.linprog(
    distances.ravel(),
    A_eq=rows.tocsr(),
    b_eq=np.ones(examples),
    A_ub=-columns.tocsr(),
    b_ub=-np.ones(classes),
    method='highs',
  )
  return found.x.reshape(examples, classes)


@dataclasses.dataclass(frozen=True)
class EasyTL(Shallow):
  """Aligns covariances, and assigns target examples to the means of classes (Wang et al., 2019).

  It answers the test examples together: together they must have every class.

  Attributes:
    regularization: Added to the variances of both domains.
  """

  transductive: ClassVar[bool] = True

  regularization: float = 1.0

  def scores(self, problem: Problem) -> jax.Array:
    """Returns the share of each class."""
    check_positive('regularization', self.regularization)
    if len(problem.test) < problem.classes:
      raise UserError(
        f'{len(problem.test)} test examples cannot have all of {problem.classes} classes'
      )
    source = recolored(problem.source, problem.test, self.regularization)
    means = shares(problem.one_hot()).T @ source
    distances = jnp.sqrt(squared_distances(problem.test, means))
    return jnp.asarray(assigned(np.asarray(distances)))
