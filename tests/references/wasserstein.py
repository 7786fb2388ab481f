"""float64 NumPy references of `tlda.losses.wasserstein`."""

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Argument, Minimum, one_hot

ARGUMENTS = {
  'gradients': Argument(
    'batch', lambda rng, size: rng.normal(size=(size['batch'], size['features'])), real=True
  )
}

MINIMA = {
  # Counts of 2, 2, 2, 2 and 1 are the most even ones of 9 target examples over 5 classes.
  'nuclear_wasserstein_discrepancy': Minimum(
    1 / np.sqrt(SIZES['source'] * SIZES['classes']) - (4 * np.sqrt(2) + 1) / SIZES['target'],
    {
      'source_probabilities': np.full((SIZES['source'], SIZES['classes']), 1 / SIZES['classes']),
      'target_probabilities': one_hot(np.arange(SIZES['target']) % SIZES['classes']),
    },
  ),
  'gradient_penalty': Minimum(0.0, {'gradients': np.eye(SIZES['batch'])}),
}


def gradient_penalty(gradients: NDArray) -> NDArray:
  """Takes the norm row by row."""
  return np.array([(np.linalg.norm(row) - 1) ** 2 for row in gradients])


def nuclear_wasserstein_discrepancy(
  source_probabilities: NDArray, target_probabilities: NDArray
) -> float:
  """Takes the roots of the eigenvalues of the Gram matrices."""
  norms = [
    np.sqrt(np.linalg.eigvalsh(p.T @ p).clip(min=0)).sum() / len(p)
    for p in (source_probabilities, target_probabilities)
  ]
  return norms[0] - norms[1]
