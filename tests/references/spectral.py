"""float64 NumPy references of `tlda.losses.spectral`."""

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Minimum

SETTINGS = {'batch_spectral_penalty': [{}, {'singular_values': 3}]}

MINIMA = {
  'batch_spectral_penalty': Minimum(
    0.0, {name: np.zeros((SIZES[name], SIZES['features'])) for name in ('source', 'target')}
  )
}


def batch_spectral_penalty(source: NDArray, target: NDArray, *, singular_values: int = 1) -> float:
  """Decomposes each matrix."""
  values = [np.linalg.svd(x, compute_uv=False)[:singular_values] for x in (source, target)]
  return sum((value**2).sum() for value in values)
