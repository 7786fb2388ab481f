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
  ),
  'domain_confusion': Minimum(np.log(2.0), {'domain_logits': np.zeros(SIZES['batch'])}),
}


def domain_adversarial(
  source_domain_logits: NDArray,
  target_domain_logits: NDArray,
  *,
  source_weights: NDArray | float = 1.0,
  target_weights: NDArray | float = 1.0,
) -> float:
  """Takes logarithms of the probabilities of the right domain."""
  source = 1 / (1 + np.exp(-source_domain_logits))
  target = 1 / (1 + np.exp(-target_domain_logits))
  source_loss = (source_weights * np.log(source)).mean()
  target_loss = (target_weights * np.log(1 - target)).mean()
  return -(source_loss + target_loss) / 2


def domain_confusion(domain_logits: NDArray) -> NDArray:
  """Sums the two domains' shares of the cross-entropy from the uniform distribution."""
  source = 1 / (1 + np.exp(-domain_logits))
  return -sum(0.5 * np.log(probability) for probability in (source, 1 - source))
