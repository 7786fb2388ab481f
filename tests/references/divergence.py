"""float64 NumPy references of `tlda.losses.divergence`."""

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Minimum

_LOGITS = np.random.default_rng(0).normal(size=(SIZES['batch'], SIZES['classes']))

MINIMA = {
  'kullback_leibler': Minimum(0.0, {'student_logits': _LOGITS, 'teacher_logits': _LOGITS + 3.0}),
}


def kullback_leibler(student_logits: NDArray, teacher_logits: NDArray) -> NDArray:
  """Subtracts the teacher's entropy from the cross-entropy, of normalised exponentials."""
  student, teacher = (
    np.exp(x) / np.exp(x).sum(axis=1, keepdims=True) for x in (student_logits, teacher_logits)
  )
  entropy = -(teacher * np.log(teacher)).sum(axis=1)
  return -(teacher * np.log(student)).sum(axis=1) - entropy
