"""float64 NumPy references of `tlda.losses.domain_adversarial`."""

import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Minimum

MINIMA = {
  'domain_adversarial': Minimum(
    0.0,
    {
      'source_domain_logits': np.full(SIZES['source'], 50.0),
      'target_domain_logits': np.full(SIZES['target'], -50.0),
    },
  )
}


def domain_adversarial(source_domain_logits: NDArray, target_domain_logits: NDArray) -> float:
  """Takes logarithms of the probabilities of the right domain."""
  source = 1 / (1 + np.exp(-source_domain_logits))
  target = 1 / (1 + np.exp(-target_domain_logits))
  return -(np.log(source).mean() + np.log(1 - target).mean()) / 2
