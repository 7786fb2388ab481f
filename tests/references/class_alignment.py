"""float64 NumPy references of `tlda.losses.class_alignment`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.references import ARGUMENTS as KNOWN
from tests.references import SIZES, Minimum

ARGUMENTS = dict.fromkeys(('source_centroids', 'target_centroids'), KNOWN['centroids'])

_CENTROIDS = np.arange(20.0).reshape(5, 4)
MINIMA = {
  'centroid_alignment': Minimum(
    0.0, {'source_centroids': _CENTROIDS, 'target_centroids': _CENTROIDS}
  ),
  # It is bounded, but no features reach the bound: their mean distance is the kernels' width.
  'contrastive_domain_discrepancy': Minimum(-np.inf),
}
SETTINGS = {
  'contrastive_domain_discrepancy': [{'classes': SIZES['classes']}, {'classes': 2}],
}


def centroid_alignment(source_centroids: NDArray, target_centroids: NDArray) -> float:
  """Goes from class to class."""
  pairs = zip(source_centroids, target_centroids, strict=True)
  return sum(np.linalg.norm(source - target) ** 2 for source, target in pairs)


def _width(source: NDArray, target: NDArray) -> float:
  """Returns twice the sum of the unbiased variances: the mean squared distance of two rows."""
  return 2 * np.concatenate([source, target]).var(axis=0, ddof=1).sum()


HELD: dict[str, Any] = {
  'contrastive_domain_discrepancy': lambda source, target, **_: {'width': _width(source, target)}
}


def contrastive_domain_discrepancy(
  source: NDArray,
  target: NDArray,
  source_labels: NDArray,
  target_labels: NDArray,
  *,
  classes: int,
  width: float | None = None,
) -> float:
  """Takes the discrepancy of every two classes by itself."""
  width = width or _width(source, target)

  def kernel(a: NDArray, b: NDArray) -> float:
    """Averages over all pairs."""
    distances = [((x - y) ** 2).sum() / width for x in a for y in b]
    return np.mean([sum(np.exp(-d / 2.0**power) for power in range(-2, 3)) for d in distances])

  present = [c for c in range(classes) if c in source_labels and c in target_labels]
  equal, unlike = [], []
  for c in present:
    for d in present:
      a, b = source[source_labels == c], target[target_labels == d]
      (equal if c == d else unlike).append(kernel(a, a) + kernel(b, b) - 2 * kernel(a, b))
  return (np.mean(equal) if equal else 0) - (np.mean(unlike) if unlike else 0)
