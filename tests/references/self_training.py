"""float64 NumPy references of `tlda.losses.self_training`."""

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Minimum, one_hot

_SURE = 100.0 * one_hot(np.arange(SIZES['batch']) % SIZES['classes'])

_UNIFORM = np.full((SIZES['batch'], SIZES['classes']), 1 / SIZES['classes'])

MINIMA = {
  'class_balance': Minimum(5 * np.log(5) - 4 * np.log(4), {'probabilities': _UNIFORM}),
  'confident_cross_entropy': Minimum(0.0, {'weak_logits': _SURE, 'strong_logits': _SURE}),
  'consistency': Minimum(
    0.0, {'student_probabilities': _UNIFORM, 'teacher_probabilities': _UNIFORM}
  ),
}
SETTINGS = {
  'confident_cross_entropy': [{}, {'threshold': 0.0}, {'threshold': 0.6}],
  'consistency': [{}, {'threshold': 0.0}, {'threshold': 0.5}],
}
STOPPED = {'confident_cross_entropy': ['weak_logits'], 'consistency': ['teacher_probabilities']}


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


def consistency(
  student_probabilities: NDArray, teacher_probabilities: NDArray, *, threshold: float = 0.968
) -> NDArray:
  """Sums squares entry by entry over the rows that count."""
  values = np.zeros(len(student_probabilities))
  for row in np.flatnonzero(teacher_probabilities.max(axis=1) > threshold):
    pairs = zip(student_probabilities[row], teacher_probabilities[row], strict=True)
    values[row] = sum((student - teacher) ** 2 for student, teacher in pairs) / SIZES['classes']
  return values


def class_balance(probabilities: NDArray) -> float:
  """Takes one class after the other, as heads against tails."""
  rows, classes = probabilities.shape
  value = 0.0
  for column in probabilities.T:
    heads = column.sum() / rows
    value -= np.log(heads) / classes + (classes - 1) * np.log(1 - heads) / classes
  return value
