"""float64 NumPy references of `tlda.losses.spectral`."""

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Minimum

_TRIALS = [{}, {'singular_values': 3}]
SETTINGS = {'batch_spectral_penalty': _TRIALS, 'batch_spectral_shrinkage': _TRIALS}

MINIMA = {
  'batch_spectral_penalty': Minimum(
    0.0, {name: np.zeros((SIZES[name], SIZES['features'])) for name in ('source', 'target')}
  ),
  'batch_spectral_shrinkage': Minimum(
    0.0, {'features': np.ones((SIZES['batch'], SIZES['features']))}
  ),
}


def batch_spectral_penalty(source: NDArray, target: NDArray, *, singular_values: int = 1) -> float:
  """Decomposes each matrix."""
  values = [np.linalg.svd(x, compute_uv=False)[:singular_values] for x in (source, target)]
  return sum((value**2).sum() for value in values)


def batch_spectral_shrinkage(features: NDArray, *, singular_values: int = 1) -> float:
  """Decomposes the matrix."""
  return (np.linalg.svd(features, compute_uv=False)[-singular_values:] ** 2).sum()
