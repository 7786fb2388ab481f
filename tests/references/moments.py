"""float64 NumPy references of `tlda.losses.moments`."""

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Minimum

SETTINGS = {'central_moment_discrepancy': [{}, {'moments': 3, 'span': 2.0}]}

_SAME = {name: np.ones((SIZES[name], SIZES['features'])) for name in ('source', 'target')}
MINIMA = {
  'coral': Minimum(0.0, _SAME | {'target': 3 * _SAME['target']}),
  'central_moment_discrepancy': Minimum(0.0, _SAME),
}


def coral(
  source: NDArray,
  target: NDArray,
  *,
  source_weights: NDArray | None = None,
  target_weights: NDArray | None = None,
) -> float:
  """Takes NumPy's covariances, which know weights of their own."""
  covariances = [
    np.cov(sample, rowvar=False, aweights=weights)
    for sample, weights in ((source, source_weights), (target, target_weights))
  ]
  return np.linalg.norm(covariances[0] - covariances[1]) ** 2 / (4 * source.shape[1] ** 2)


def central_moment_discrepancy(
  source: NDArray,
  target: NDArray,
  *,
  source_weights: NDArray | None = None,
  target_weights: NDArray | None = None,
  moments: int = 5,
  span: float = 1.0,
) -> float:
  """Averages powers, feature by feature."""
  total = 0.0
  for order in range(1, moments + 1):
    gaps = []
    for a, b in zip(source.T, target.T, strict=True):
      mean_a = np.average(a, weights=source_weights) if order > 1 else 0
      mean_b = np.average(b, weights=target_weights) if order > 1 else 0
      moment_a = np.average((a - mean_a) ** order, weights=source_weights)
      moment_b = np.average((b - mean_b) ** order, weights=target_weights)
      gaps.append(moment_a - moment_b)
    total += np.linalg.norm(gaps) / span**order
  return total
