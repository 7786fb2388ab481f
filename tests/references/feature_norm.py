"""float64 NumPy references of `tlda.losses.feature_norm`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Minimum

SETTINGS = {
  'hard_feature_norm': [{}, {'radius': 2.0}],
  'stepwise_feature_norm': [{}, {'step': 0.3}],
}

# Four features of 12.5 have the norm 25.
_FEATURES = np.full((SIZES['batch'], SIZES['features']), 12.5)
MINIMA = {
  'hard_feature_norm': Minimum(0.0, {'features': _FEATURES}),
  'stepwise_feature_norm': Minimum(1.0, {'features': _FEATURES}),
}


def _hold(features: NDArray, **_: Any) -> dict[str, Any]:
  return {'before': np.linalg.norm(features, axis=1)}


HELD = {'stepwise_feature_norm': _hold}


def hard_feature_norm(features: NDArray, *, radius: float = 25.0) -> float:
  """Averages the norms of rows, one by one."""
  return (radius - np.mean([np.sqrt(row @ row) for row in features])) ** 2


def stepwise_feature_norm(
  features: NDArray, *, step: float = 1.0, before: NDArray | None = None
) -> NDArray:
  """Compares with the norms before."""
  norms = np.linalg.norm(features, axis=1)
  return (step + (norms if before is None else before) - norms) ** 2
