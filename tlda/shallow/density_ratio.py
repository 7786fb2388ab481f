"""What the estimates of density ratios share: kernels around target examples, folds, a classifier.

With weights `w(x) = p(x of the target) / p(x of the source)` the mean of a loss over the source is
that over the target, where only the densities of x differ (covariate shift).
"""

import abc
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from tlda.shallow.linear import median_squared_distance
from tlda.shallow.shallow import Problem, Shallow
from tlda.shallow.svm import machine_scores

FOLDS = 5
# Squared widths of kernels that are tried, as multiples of the median squared distance.
WIDTHS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


@dataclasses.dataclass(frozen=True)
class Reweighted(Shallow):
  """Separates source classes by a linear machine in which each example has its own weight.

  Attributes:
    c: Price of an error; 0 chooses it by importance-weighted cross-validation on the source.
  """

  c: float = 0.0

  @abc.abstractmethod
  def weights(self, problem: Problem) -> jax.Array:
    """Returns the estimated density ratio at each source example, `[source examples]`."""

  def scores(self, problem: Problem) -> jax.Array:
    """Returns the votes for each class; weights are scaled to the mean 1."""
    weights = np.asarray(self.weights(problem))
    weights = weights / weights.mean() if weights.any() else np.ones_like(weights)
    return machine_scores(problem.source, problem.labels, problem.test, c=self.c, weights=weights)


def ranks(rows: jax.Array) -> np.ndarray:
  """Returns the place of each row `[n, d]` by its distance to their mean, int `[n]`.

  Centres and folds are drawn by it and not by chance: they do not depend on the order of rows.
  """
  rows = np.asarray(rows)
  distances = np.sum((rows - rows.mean(axis=0)) ** 2, axis=1)
  # Sums of rows in another order differ in the last digits.
  return np.argsort(np.argsort(distances.round(9), kind='stable'))


def centers(rows: jax.Array, most: int) -> jax.Array:
  """Returns at most `most` of rows `[n, d]`, evenly spaced by their rank."""
  chosen = np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int)
  return jnp.asarray(np.asarray(rows)[np.argsort(ranks(rows))[chosen]])


def folds(rows: jax.Array) -> np.ndarray:
  """Returns which rows `[n, d]` are held out in each fold, bool `[FOLDS, n]`."""
  return ranks(rows) % FOLDS == np.arange(FOLDS)[:, None]


def mean(values: jax.Array, chosen: jax.Array) -> jax.Array:
  """Returns the mean of the chosen rows of `[n, ...]`, by bool `[n]`; 0 where there is none."""
  return chosen.astype(values.dtype) @ values / jnp.maximum(jnp.sum(chosen), 1)


def widths(target: jax.Array) -> list[jax.Array]:
  """Returns the squared widths of kernels that are tried for target examples `[n, d]`."""
  median = median_squared_distance(target)
  return [scale * median for scale in WIDTHS]
