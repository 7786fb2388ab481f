"""float64 NumPy references of `tlda.losses.distillation`."""

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Argument, Minimum

_POSITIONS = 8


def _maps(channels: int) -> Argument:
  draw = lambda rng, size: rng.normal(size=(size['batch'], _POSITIONS, channels))
  return Argument('batch', draw, real=True)


# Of unlike numbers of channels, which need not agree.
ARGUMENTS = {'student_maps': _maps(3), 'teacher_maps': _maps(2)}

_LOGITS = np.arange(SIZES['batch'] * SIZES['classes']).reshape(SIZES['batch'], -1) % 7 / 3
_ONES = np.ones((SIZES['batch'], SIZES['features']))

MINIMA = {
  'distillation': Minimum(0.0, {'student_logits': _LOGITS + 1, 'teacher_logits': _LOGITS}),
  'hint': Minimum(0.0, {'student_features': _ONES, 'teacher_features': _ONES}),
  'attention_transfer': Minimum(
    0.0,
    {
      'student_maps': np.full((SIZES['batch'], _POSITIONS, 3), 0.5),
      'teacher_maps': np.full((SIZES['batch'], _POSITIONS, 2), 7.0),
    },
  ),
}
SETTINGS = {'distillation': [{}, {'temperature': 1.0}, {'temperature': 2.5}]}
STOPPED = {
  'distillation': ['teacher_logits'],
  'hint': ['teacher_features'],
  'attention_transfer': ['teacher_maps'],
}


def distillation(
  student_logits: NDArray, teacher_logits: NDArray, *, temperature: float = 4.0
) -> NDArray:
  """Takes the entropy of the teacher from the cross-entropy."""
  student, teacher = (
    np.exp(x / temperature) / np.exp(x / temperature).sum(axis=1, keepdims=True)
    for x in (student_logits, teacher_logits)
  )
  cross, own = (-(teacher * np.log(x)).sum(axis=1) for x in (student, teacher))
  return temperature**2 * (cross - own)


def hint(student_features: NDArray, teacher_features: NDArray) -> NDArray:
  """Takes the norm of each row."""
  gap = (student_features - teacher_features).reshape(len(student_features), -1)
  return np.linalg.norm(gap, axis=1) ** 2 / (2 * gap.shape[1])


def attention_transfer(student_maps: NDArray, teacher_maps: NDArray) -> NDArray:
  """Takes 2 - 2 times the cosine."""

  def energy(maps: NDArray) -> NDArray:
    return np.einsum('npc,npc->np', maps, maps)

  student, teacher = energy(student_maps), energy(teacher_maps)
  dots = (student * teacher).sum(axis=1)
  return 2 - 2 * dots / np.linalg.norm(student, axis=1) / np.linalg.norm(teacher, axis=1)
