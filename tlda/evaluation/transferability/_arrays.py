"""What every score checks of its arrays."""

import numpy as np
from jax.typing import ArrayLike

from tlda.errors import UserError


def checked(
  rows: ArrayLike, labels: ArrayLike, *, name: str = 'features', fewest: int = 1
) -> tuple[np.ndarray, np.ndarray]:
  """Returns an array in float64, and the labels as 0, 1, ... without gaps.

  Args:
    rows: `[examples, d]`, finite.
    labels: `[examples]`, integers; which integers does not matter.
    name: What the array is called in a complaint.
    fewest: The fewest examples that each class must have.

  Raises:
    UserError: The shapes do not match, a number is not finite, labels are no integers, there is
      one class only, or a class has too few examples.
  """
  rows, places = np.asarray(rows, np.float64), places_of(labels)
  if rows.ndim != 2 or rows.shape[1] == 0:
    raise UserError(f'{name} are of shape {list(rows.shape)}, not [examples, d]')
  if len(rows) != len(places):
    raise UserError(f'there are {len(rows)} rows of {name} and {len(places)} labels')
  if not np.isfinite(rows).all():
    raise UserError(f'{name} hold a number that is not finite')
  counts = np.bincount(places)
  if len(counts) < 2:
    raise UserError('a score of transferability needs examples of at least 2 classes')
  if counts.min() < fewest:
    raise UserError(f'each class needs at least {fewest} examples, and one has {counts.min()}')
  return rows, places


def places_of(labels: ArrayLike, name: str = 'labels') -> np.ndarray:
  """Returns the place `[examples]` of each label among the labels that there are.

  Raises:
    UserError: Labels are no vector of integers, or there are none.
  """
  labels = np.asarray(labels)
  if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
    raise UserError(f'{name} are {labels.dtype} of shape {list(labels.shape)}, not int [examples]')
  if not labels.size:
    raise UserError(f'there are no {name}')
  return np.unique(labels, return_inverse=True)[1]


def class_means(features: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Returns the mean `[classes, d]` and the number `[classes]` of the examples of each class."""
  counts = np.bincount(labels)
  return (np.eye(len(counts))[labels].T @ features) / counts[:, None], counts
