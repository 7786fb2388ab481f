"""float64 NumPy references of `tlda.losses.wasserstein`."""

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Argument, Minimum

ARGUMENTS = {
  'gradients': Argument(
    'batch', lambda rng, size: rng.normal(size=(size['batch'], size['features'])), real=True
  )
}

MINIMA = {
  'gradient_penalty': Minimum(0.0, {'gradients': np.eye(SIZES['batch'])}),
}


def gradient_penalty(gradients: NDArray) -> NDArray:
  """Takes the norm row by row."""
  return np.array([(np.linalg.norm(row) - 1) ** 2 for row in gradients])
