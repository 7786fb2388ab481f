"""Samples of two domains, on one scale."""

import numpy as np
from jax.typing import ArrayLike
from sklearn.preprocessing import StandardScaler


def checked(source: ArrayLike, target: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
  """Returns features in float64.

  Args:
    source: `[n, d]`.
    target: `[m, d]`.

  Raises:
    ValueError: A domain has fewer than 2 examples, or features are not finite or do not match.
  """
  source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
  if min(len(source), len(target)) < 2:
    raise ValueError('a divergence needs at least 2 examples of each domain')
  if not np.isfinite(np.concatenate([source, target])).all():
    raise ValueError('a divergence needs finite features')
  return source, target


def standardized(source: ArrayLike, target: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
  """Returns features less their mean, over their deviation, both of all rows together.

  Args:
    source: `[n, d]`.
    target: `[m, d]`.

  Returns:
    Both in float64; a feature that is constant is 0.

  Raises:
    ValueError: As `checked` does.
  """
  domains = checked(source, target)
  rows = StandardScaler().fit_transform(np.concatenate(domains))
  return rows[: len(domains[0])], rows[len(domains[0]) :]
