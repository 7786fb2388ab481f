"""Metrics as (sum, count) until the host divides, so that a padded last batch counts right."""

from collections.abc import Iterable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike


def accuracy(
  labels: ArrayLike, predictions: ArrayLike, mask: ArrayLike | None = None
) -> tuple[jax.Array, jax.Array]:
  """Counts the examples whose class was predicted.

  Args:
    labels: `[batch]` int, the true classes.
    predictions: `[batch]` int.
    mask: `[batch]`, 1 for examples that count and 0 for padding; without it, all count.

  Returns:
    (sum, count), two float32 scalars; `mean` divides them. Both may be summed over devices and
    batches.
  """
  correct = jnp.asarray(labels) == jnp.asarray(predictions)
  mask = jnp.ones(correct.shape) if mask is None else jnp.asarray(mask, jnp.float32)
  return jnp.sum(mask * correct), jnp.sum(mask)


def mean(pairs: Iterable[tuple[ArrayLike, ArrayLike]]) -> float:
  """Divides the sum of the sums by the sum of the counts, in float64.

  Args:
    pairs: A (sum, count) for each batch.

  Raises:
    ZeroDivisionError: No example was counted.
  """
  sums, counts = zip(*pairs, strict=True)
  return float(np.sum(sums, dtype=np.float64)) / float(np.sum(counts, dtype=np.float64))


def mean_and_std(values: Sequence[float]) -> tuple[float, float | None]:
  """Returns mean and sample standard deviation (n - 1) over seeds; one seed has no deviation."""
  return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None


def confusion_matrix(labels: ArrayLike, predictions: ArrayLike, classes: int) -> np.ndarray:
  """Counts how often each class was taken for each.

  Args:
    labels: `[n]` int, the true classes.
    predictions: `[n]` int.
    classes: How many classes there are.

  Returns:
    `[classes, classes]` int64: row the true class, column the predicted one.

  Raises:
    ValueError: A label or a prediction is not in [0, classes), or there are not as many of both.
  """
  labels, predictions = np.asarray(labels), np.asarray(predictions)
  if labels.shape != predictions.shape:
    raise ValueError(f'{labels.shape} labels and {predictions.shape} predictions')
  both = np.stack([labels, predictions])
  if both.size and (both.min() < 0 or both.max() >= classes):
    raise ValueError(f'labels and predictions must be in [0, {classes})')
  pairs = np.bincount(labels * classes + predictions, minlength=classes * classes)
  return pairs.reshape(classes, classes)
