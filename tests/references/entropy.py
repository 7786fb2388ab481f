"""float64 NumPy references of `tlda.losses.entropy`."""

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Minimum, one_hot

_CLASSES = np.arange(SIZES['batch']) % SIZES['classes']

MINIMA = {'entropy': Minimum(0.0, {'logits': 100.0 * one_hot(_CLASSES)})}


def entropy(logits: NDArray) -> NDArray:
  """Takes the logarithm of the normalised exponentials."""
  probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
  return -(probabilities * np.log(probabilities)).sum(axis=1)
