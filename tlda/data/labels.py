"""Checks of labels that come from outside, and a test set for data that have none of their own."""

from collections.abc import Sequence

import numpy as np

from tlda.errors import UserError

_EVERY = 5  # One example in five of each class is held out.


def checked(labels: np.ndarray, examples: int, what: str) -> np.ndarray:
  """Checks that labels are one whole number for each example, from 0.

  Args:
    labels: What was read.
    examples: How many inputs there are.
    what: Named in the sentence.

  Returns:
    int32 `[examples]`.

  Raises:
    UserError: If they are not.
  """
  if labels.ndim != 1 or len(labels) != examples:
    raise UserError(f'{what}: labels have shape {labels.shape}, expected ({examples},)')
  if labels.dtype.kind not in 'iu':
    raise UserError(f'{what}: labels are {labels.dtype}, not integers')
  if examples and labels.min() < 0:
    raise UserError(f'{what}: labels must be at least 0, one is {labels.min()}')
  if examples and labels.max() > np.iinfo(np.int32).max:
    raise UserError(f'{what}: label {labels.max()} is out of range')
  return labels.astype(np.int32)


def in_range(labels: Sequence[np.ndarray], classes: int, what: str) -> None:
  """Checks that every label names a class.

  Args:
    labels: int32 arrays.
    classes: How many classes there are.
    what: Named in the sentence.

  Raises:
    UserError: If a label is too large.
  """
  largest = max(int(part.max(initial=0)) for part in labels)
  if largest >= classes:
    raise UserError(f'{what}: label {largest} is out of range, there are {classes} classes')


def unnamed(labels: np.ndarray, what: str) -> tuple[str, ...]:
  """Names classes by number, where their number is known from the training labels alone.

  Args:
    labels: int32 training labels.
    what: Named in the sentence.

  Returns:
    '0', '1', ... up to the largest label.

  Raises:
    UserError: If a class has no example: then the labels hardly mean what they seem to.
  """
  present = np.unique(labels)
  if len(present) == 0 or present[-1] != len(present) - 1:
    raise UserError(
      f'{what}: the training labels must be 0, 1, 2, ... without a gap, they are '
      f'{", ".join(map(str, present[:8]))}{", ..." if len(present) > 8 else ""}; '
      'name the classes if some have no example'
    )
  return tuple(map(str, present))


def held_out(labels: np.ndarray, what: str) -> tuple[np.ndarray, np.ndarray]:
  """Splits examples where there is no test set: in each class, every fifth one in order is tested.

  Args:
    labels: int32 `[n]`.
    what: Named in the sentence.

  Returns:
    The rows to train with and the rows to test with, each in order.

  Raises:
    UserError: If no class has five examples.
  """
  test = np.zeros(len(labels), bool)
  for label in np.unique(labels):
    test[np.flatnonzero(labels == label)[_EVERY - 1 :: _EVERY]] = True
  if not test.any():
    raise UserError(f'{what}: too few examples to hold out a test set (one in five of each class)')
  return np.flatnonzero(~test), np.flatnonzero(test)
