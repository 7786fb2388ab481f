"""Accuracy of the nearest neighbours: what the features can do without any training."""

import numpy as np
from jax.typing import ArrayLike

from tlda.errors import UserError, nearest
from tlda.evaluation.transferability._arrays import checked

METRICS = ('cosine', 'euclidean')
_ROWS = 512  # whose distances to all examples are held at once


def knn_accuracy(
  features: ArrayLike, labels: ArrayLike, *, neighbours: int = 5, metric: str = 'cosine'
) -> float:
  """Computes the leave-one-out accuracy of a vote of the nearest neighbours.

  Cover, Hart, *Nearest neighbor pattern classification* (1967). Every example is told by the
  others. Of classes with equally many votes, that of the nearest neighbour among them wins.

  Args:
    features: `[examples, d]`, finite.
    labels: int `[examples]`, of at least 2 classes, each with at least 2 examples.
    neighbours: How many of the nearest vote; less than the number of examples.
    metric: 'cosine' (a row of zeros is as far from all others) or 'euclidean'.

  Returns:
    A fraction in [0, 1]; bigger is better.

  Raises:
    UserError: The arrays do not fit, there is one class only or a class of one example, or there is
      no such metric or number of neighbours.
  """
  features, labels = checked(features, labels, fewest=2)
  if metric not in METRICS:
    raise UserError(nearest('metric', metric, METRICS))
  if not 1 <= neighbours < len(labels):
    raise UserError(f'{neighbours} neighbours cannot be had of {len(labels) - 1} other examples')
  if metric == 'cosine':
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    features = np.divide(features, lengths, out=np.zeros_like(features), where=lengths > 0)
  else:
    features = features - features.mean(0)  # Distances keep, and rounding is least.
  right = 0
  for start in range(0, len(labels), _ROWS):
    own = np.arange(start, min(start + _ROWS, len(labels)))
    right += np.sum(_vote(labels[_neighbours(features, own, neighbours)]) == labels[own])
  return float(right / len(labels))


def _neighbours(features: np.ndarray, own: np.ndarray, count: int) -> np.ndarray:
  """Returns the nearest others `[rows, count]` of the rows `own`, the nearest first."""
  distances = (features**2).sum(1) - 2 * features[own] @ features.T
  distances[np.arange(len(own)), own] = np.inf
  return np.argsort(distances, axis=1, kind='stable')[:, :count]


def _vote(labels: np.ndarray) -> np.ndarray:
  """Returns the most frequent label of each row `[rows, neighbours]`; of several the first."""
  votes = (labels[:, :, None] == labels[:, None, :]).sum(2)
  return labels[np.arange(len(labels)), votes.argmax(1)]
