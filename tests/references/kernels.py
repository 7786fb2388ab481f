"""float64 NumPy references of `tlda.losses.kernels`."""

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Minimum, one_hot

_KERNELS = [{}, {'kernels': 2}]
SETTINGS = {
  'maximum_mean_discrepancy': _KERNELS,
  'joint_maximum_mean_discrepancy': _KERNELS,
  'local_maximum_mean_discrepancy': _KERNELS,
}

_SAME = {name: np.ones((SIZES[name], SIZES['features'])) for name in ('source', 'target')}
_LABELS = {name: np.arange(SIZES[name]) % SIZES['classes'] for name in ('source', 'target')}
# Each class is a point of its own; a class's share of the two samples may differ.
_BY_CLASS = {
  name: np.eye(SIZES['classes'], SIZES['features'])[labels] for name, labels in _LABELS.items()
}
MINIMA = {
  'maximum_mean_discrepancy': Minimum(0.0, _SAME),
  'joint_maximum_mean_discrepancy': Minimum(
    0.0,
    {f'{name}_features': rows for name, rows in _SAME.items()}
    | {f'{name}_probabilities': np.full((SIZES[name], 5), 0.2) for name in _SAME},
  ),
  'local_maximum_mean_discrepancy': Minimum(
    0.0,
    _BY_CLASS
    | {'source_labels': _LABELS['source'], 'target_probabilities': one_hot(_LABELS['target'])},
  ),
}


def _bandwidth(source: NDArray, target: NDArray) -> float:
  pairs = itertools.combinations(np.concatenate([source, target]), 2)
  return np.mean([np.linalg.norm(a - b) ** 2 for a, b in pairs])


def _hold(source: NDArray, target: NDArray, **_: Any) -> dict[str, Any]:
  return {'bandwidth': _bandwidth(source, target)}


def _hold_joint(
  source_features: NDArray,
  target_features: NDArray,
  source_probabilities: NDArray,
  target_probabilities: NDArray,
  **_: Any,
) -> dict[str, Any]:
  features = _bandwidth(source_features, target_features)
  return {'bandwidths': (features, _bandwidth(source_probabilities, target_probabilities))}


HELD = {
  'maximum_mean_discrepancy': _hold,
  'joint_maximum_mean_discrepancy': _hold_joint,
  'local_maximum_mean_discrepancy': _hold,
}


def _gaussians(x: NDArray, y: NDArray, bandwidth: float, kernels: int) -> float:
  widths = [bandwidth * 2.0 ** (kernels // 2 - place) for place in range(kernels)]
  return np.mean([np.exp(-((x - y) ** 2).sum() / width) for width in widths])


def maximum_mean_discrepancy(
  source: NDArray,
  target: NDArray,
  *,
  source_weights: NDArray | None = None,
  target_weights: NDArray | None = None,
  kernels: int = 5,
  bandwidth: float | None = None,
) -> float:
  """Averages the kernel over pairs within each sample and between them."""
  bandwidth = bandwidth or _bandwidth(source, target)

  def average(a: NDArray, b: NDArray, of_a: NDArray | None, of_b: NDArray | None) -> float:
    values = [[_gaussians(x, y, bandwidth, kernels) for y in b] for x in a]
    return np.average(np.average(values, axis=1, weights=of_b), weights=of_a)

  return (
    average(source, source, source_weights, source_weights)
    + average(target, target, target_weights, target_weights)
    - 2 * average(source, target, source_weights, target_weights)
  )


def joint_maximum_mean_discrepancy(
  source_features: NDArray,
  target_features: NDArray,
  source_probabilities: NDArray,
  target_probabilities: NDArray,
  *,
  kernels: int = 5,
  bandwidths: tuple[float, float] | None = None,
) -> float:
  """Averages products of kernels over pairs within each sample and between them."""
  source = list(zip(source_features, source_probabilities, strict=True))
  target = list(zip(target_features, target_probabilities, strict=True))
  of_features, of_predictions = bandwidths or (
    _bandwidth(source_features, target_features),
    _bandwidth(source_probabilities, target_probabilities),
  )

  def average(a: list, b: list) -> float:
    products = [
      _gaussians(x, y, of_features, kernels) * _gaussians(p, q, of_predictions, 1)
      for (x, p), (y, q) in itertools.product(a, b)
    ]
    return np.mean(products)

  return average(source, source) + average(target, target) - 2 * average(source, target)


def local_maximum_mean_discrepancy(
  source: NDArray,
  target: NDArray,
  source_labels: NDArray,
  target_probabilities: NDArray,
  *,
  kernels: int = 5,
  bandwidth: float | None = None,
) -> float:
  """Averages the weighted discrepancy of each class that the source has."""
  bandwidth = bandwidth or _bandwidth(source, target)
  distances = []
  for label in np.unique(source_labels):
    weights = {
      'source_weights': (source_labels == label).astype(float),
      'target_weights': target_probabilities[:, label],
    }
    distances.append(
      maximum_mean_discrepancy(source, target, kernels=kernels, bandwidth=bandwidth, **weights)
    )
  return np.mean(distances)
