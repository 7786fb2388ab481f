"""float64 NumPy references of `tlda.losses.self_training`."""

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Minimum, one_hot

_SURE = 100.0 * one_hot(np.arange(SIZES['batch']) % SIZES['classes'])

MINIMA = {
  'confident_cross_entropy': Minimum(0.0, {'weak_logits': _SURE, 'strong_logits': _SURE}),
}
SETTINGS = {'confident_cross_entropy': [{}, {'threshold': 0.0}, {'threshold': 0.6}]}
STOPPED = {'confident_cross_entropy': ['weak_logits']}


def confident_cross_entropy(
  weak_logits: NDArray, strong_logits: NDArray, *, threshold: float = 0.95
) -> NDArray:
  """Goes from row to row, and skips those that are unsure."""
  values = np.zeros(len(weak_logits))
  for row, (weak, strong) in enumerate(zip(weak_logits, strong_logits, strict=True)):
    odds = np.exp(weak - weak.max())
    if odds.max() >= threshold * odds.sum():
      values[row] = np.log(np.exp(strong - strong[weak.argmax()]).sum())
  return values
