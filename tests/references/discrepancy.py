"""float64 NumPy references of `tlda.losses.discrepancy`."""

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Argument, Minimum, one_hot


def _logits(rows: str) -> Argument:
  return Argument(rows, lambda rng, size: rng.normal(size=(size[rows], size['classes'])), real=True)


ARGUMENTS = {
  'other_logits': _logits('batch'),
}

_BATCH = one_hot(np.arange(SIZES['batch']) % SIZES['classes'])

MINIMA = {
  # Probabilities do not change when all logits of a row grow alike.
  'classifier_discrepancy': Minimum(0.0, {'logits': _BATCH, 'other_logits': _BATCH + 3.0}),
}


def _softmax(logits: NDArray) -> NDArray:
  return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def classifier_discrepancy(logits: NDArray, other_logits: NDArray) -> NDArray:
  """Takes the larger minus the smaller probability, class by class."""
  one, other = _softmax(logits), _softmax(other_logits)
  gaps = [np.maximum(p, q) - np.minimum(p, q) for p, q in zip(one.T, other.T, strict=True)]
  return sum(gaps) / len(gaps)
