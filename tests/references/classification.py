"""float64 NumPy references of `tlda.losses.classification`."""

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Minimum, one_hot

SETTINGS = {'cross_entropy': [{}, {'label_smoothing': 0.1}]}

_LABELS = np.arange(SIZES['batch']) % SIZES['classes']

MINIMA = {
  'cross_entropy': Minimum(0.0, {'logits': 100.0 * one_hot(_LABELS), 'labels': _LABELS}),
}


def cross_entropy(logits: NDArray, labels: NDArray, *, label_smoothing: float = 0.0) -> NDArray:
  """Takes the logarithm of the normalised exponentials, example by example."""
  classes = logits.shape[1]
  losses = []
  for row, label in zip(logits, labels, strict=True):
    probabilities = np.exp(row) / np.exp(row).sum()
    truth = (1 - label_smoothing) * one_hot(label) + label_smoothing / classes
    losses.append(-(truth * np.log(probabilities)).sum())
  return np.array(losses)
