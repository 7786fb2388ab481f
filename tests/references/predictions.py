"""float64 NumPy references of `tlda.losses.predictions`."""

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Minimum, one_hot

_LABELS = np.arange(SIZES['batch']) % SIZES['classes']
_SURE = 100 * one_hot(_LABELS)
_COUNTS = np.bincount(_LABELS)
_SHARES = _COUNTS / SIZES['batch']

MINIMA = {
  'minimum_class_confusion': Minimum(0.0, {'logits': _SURE}),
  # Both are concave in each prediction, so sure ones are best, spread as evenly as may be.
  'batch_nuclear_norm': Minimum(-np.sqrt(_COUNTS).sum() / SIZES['batch'], {'logits': _SURE}),
  'information_maximization': Minimum((_SHARES * np.log(_SHARES)).sum(), {'logits': _SURE}),
}
SETTINGS = {'minimum_class_confusion': [{}, {'temperature': 1.0}]}


def _softmax(logits: NDArray) -> NDArray:
  return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def minimum_class_confusion(
  logits: NDArray, *, weights: NDArray | None = None, temperature: float = 2.5
) -> float:
  """Builds the matrix of confusion, divides its rows, and walks off the diagonal."""
  probabilities = _softmax(logits / temperature)
  weights = np.ones(len(logits)) if weights is None else weights
  weights = len(logits) * weights / weights.sum()
  confusion = probabilities.T @ np.diag(weights) @ probabilities
  confusion = confusion / confusion.sum(axis=1, keepdims=True)
  classes = range(len(confusion))
  off = [abs(confusion[i, j]) for i in classes for j in classes if i != j]
  return sum(off) / len(classes)


def batch_nuclear_norm(logits: NDArray) -> float:
  """Takes square roots of the eigenvalues of the Gram matrix."""
  probabilities = _softmax(logits)
  return -np.sqrt(np.linalg.eigvalsh(probabilities.T @ probabilities)).sum() / len(logits)


def information_maximization(logits: NDArray) -> float:
  """Takes the mean divergence of each prediction from the mean prediction."""
  probabilities = _softmax(logits)
  ratio = probabilities / probabilities.mean(axis=0)
  return -(probabilities * np.log(ratio)).sum(axis=1).mean()
