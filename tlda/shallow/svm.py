"""Support vector machines, of scikit-learn, on kernels computed here.

Cortes, Vapnik: *Support-vector networks* (Machine Learning, 1995).
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from sklearn import svm
from sklearn.model_selection import StratifiedKFold

from tlda.errors import UserError, nearest
from tlda.shallow.linear import gaussian
from tlda.shallow.shallow import Problem, Shallow

KERNELS = ('linear', 'gaussian')
FOLDS = 5
CS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)


def separate(
  kernel: np.ndarray,
  labels: np.ndarray,
  test: np.ndarray,
  c: float,
  weights: np.ndarray | None = None,
) -> np.ndarray:
  """Fits a support vector machine for each pair of classes, and scores classes by their votes.

  Args:
    kernel: `[n, n]`, of the training examples.
    labels: int `[n]`.
    test: `[m, n]`, of test with training examples.
    c: The price of an error; 0 chooses it by cross-validation (`chosen`).
    weights: `[n]`, 0 or above, what each example's error is multiplied by; None is 1.

  Returns:
    `[m, classes]`.

  Raises:
    UserError: c is below 0.
  """
  if not 0 <= c < np.inf:
    raise UserError(f'c must be 0 or above, not {c}')
  weights = np.ones(len(labels)) if weights is None else weights
  c = c or chosen(kernel, labels, weights)
  machine = _fitted(kernel, labels, c, weights)
  scores = machine.decision_function(test)
  if scores.ndim == 1:
    return np.stack([-scores, scores], axis=1)
  # Of classes with equally many votes LIBSVM predicts the first, however sure the others are.
  return scores + len(machine.classes_) * np.eye(len(machine.classes_))[machine.predict(test)]


def chosen(kernel: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
  """Returns the c of `CS` that tells held-out training examples best, the least of equals.

  Weighted examples count by their weight: importance-weighted cross-validation (Sugiyama, Krauledat
  and Müller, JMLR 2007). Classes of one example leave nothing to hold out: then it is 1.

  Args:
    kernel: `[n, n]`.
    labels: int `[n]`.
    weights: `[n]`.
  """
  folds = min(FOLDS, np.bincount(labels).min())
  if folds < 2:
    return 1.0
  right = np.zeros(len(CS))
  for rest, held in StratifiedKFold(folds).split(kernel, labels):
    for place, c in enumerate(CS):
      machine = _fitted(kernel[np.ix_(rest, rest)], labels[rest], c, weights[rest])
      hits = machine.predict(kernel[np.ix_(held, rest)]) == labels[held]
      right[place] += np.sum(weights[held] * hits)
  return CS[int(right.argmax())]


def _fitted(kernel: np.ndarray, labels: np.ndarray, c: float, weights: np.ndarray) -> svm.SVC:
  # A class whose weights are all 0 would be missing.
  return svm.SVC(C=c, kernel='precomputed').fit(kernel, labels, np.maximum(weights, 1e-6))


def machine_scores(
  rows: jax.Array,
  labels: jax.Array,
  test: jax.Array,
  *,
  kernel: str = 'linear',
  c: float = 0.0,
  weights: np.ndarray | None = None,
) -> jax.Array:
  """Scores test examples by machines on rows.

  Args:
    rows: `[n, d]`.
    labels: int `[n]`.
    test: `[m, d]`.
    kernel: One of `KERNELS`; the Gaussian's squared width is half the number of features.
    c: As in `separate`.
    weights: As in `separate`.

  Returns:
    `[m, classes]`.

  Raises:
    UserError: There is no such kernel, or c is below 0.
  """
  if kernel not in KERNELS:
    raise UserError(nearest('kernel', kernel, KERNELS))
  if kernel == 'linear':
    grams = rows @ rows.T, test @ rows.T
  else:
    grams = tuple(gaussian(x, rows, rows.shape[1] / 2) for x in (rows, test))
  whole, between = map(np.asarray, grams)
  return jnp.asarray(separate(whole, np.asarray(labels), between, c, weights))


@dataclasses.dataclass(frozen=True)
class SVM(Shallow):
  """Separates the source's classes by support vector machines (Cortes and Vapnik, 1995).

  It adapts nothing.

  Attributes:
    kernel: linear or gaussian; its squared width is half the number of features.
    c: Price of an error; 0 chooses it by cross-validation on the source.
  """

  kernel: str = 'linear'
  c: float = 0.0

  def scores(self, problem: Problem) -> jax.Array:
    """Returns the votes for each class."""
    return machine_scores(
      problem.source, problem.labels, problem.test, kernel=self.kernel, c=self.c
    )
