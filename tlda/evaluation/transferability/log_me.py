"""LogME: how probable the labels are, given features and any linear model of them."""

import numpy as np
from jax.typing import ArrayLike

from tlda.evaluation.transferability._arrays import checked

# The most precise that the noise of a label may be (a standard deviation of 0.001): where features
# fit the labels exactly, the evidence has no maximum.
PRECISION = 1e6
_STEPS, _TOLERANCE = 1000, 1e-9
_SMALL, _LARGE = 1e-12, 1e12


def log_me(features: ArrayLike, labels: ArrayLike) -> float:
  """Computes the logarithm of the maximum evidence.

  You, Liu, Wang, Long, *LogME: Practical assessment of pre-trained models for transfer learning*
  (ICML 2021). For each class, whether an example is of it (0 or 1) is taken for a linear function
  of the features, with a Gaussian prior on the weights (precision alpha) and Gaussian noise
  (precision beta): `y ~ N(0, I / beta + F F' / alpha)`. Both precisions are those of the greatest
  evidence, found by MacKay's fixed-point iteration in the singular basis of the features, where a
  step takes `min(examples, d)` operations (You et al., *Ranking and tuning pre-trained models*,
  JMLR 23, 2022, algorithm 3). The noise's precision is at most `PRECISION`.

  Args:
    features: `[examples, d]`, finite.
    labels: int `[examples]`, of at least 2 classes.

  Returns:
    The log evidence of an example in nats, the mean over classes; bigger is better.

  Raises:
    UserError: The arrays do not fit, or there is one class only.
  """
  features, labels = checked(features, labels)
  basis, singular, _ = np.linalg.svd(features, full_matrices=False)
  targets = np.eye(labels.max() + 1)[labels]
  inside = (basis.T @ targets) ** 2
  # By Pythagoras, but for rounding: what of each target no linear model can reach.
  outside = np.maximum(targets.sum(0) - inside.sum(0), 0)
  return float(
    np.mean(
      [
        _evidence(singular**2, inside[:, place], outside[place], len(labels))
        for place in range(targets.shape[1])
      ]
    )
  )


def _evidence(spectrum: np.ndarray, inside: np.ndarray, outside: float, examples: int) -> float:
  """Returns the greatest log evidence of one target, by example.

  Args:
    spectrum: `[k]`, the squared singular values of the features.
    inside: `[k]`, the squared target in the basis of the features.
    outside: The squared length of the target outside of it.
    examples: Their number n.
  """
  # A direction in which features are zero reaches nothing.
  outside, inside = outside + inside[spectrum == 0].sum(), inside[spectrum > 0]
  spectrum = spectrum[spectrum > 0]
  ratio = 1.0  # alpha / beta
  for _ in range(_STEPS):
    before = ratio
    alpha, beta = _precisions(spectrum, inside, outside, examples, ratio)
    ratio = float(np.clip(alpha / beta, _SMALL, _LARGE * max(spectrum.max(initial=0), 1)))
    if abs(ratio - before) <= _TOLERANCE * before:
      break
  residual, squares, _ = _moments(spectrum, inside, outside, ratio)
  beta = min(examples / max(residual + ratio * squares, _SMALL), PRECISION)
  volume = np.log1p(spectrum / ratio).sum()
  fit = beta * (residual + ratio * squares)
  return float((examples * np.log(beta / (2 * np.pi)) - fit - volume) / (2 * examples))


def _precisions(
  spectrum: np.ndarray, inside: np.ndarray, outside: float, examples: int, ratio: float
) -> tuple[float, float]:
  """Returns alpha and beta after one step of the fixed-point iteration."""
  residual, squares, effective = _moments(spectrum, inside, outside, ratio)
  alpha = effective / max(squares, _SMALL)
  return alpha, min((examples - effective) / max(residual, _SMALL), PRECISION)


def _moments(
  spectrum: np.ndarray, inside: np.ndarray, outside: float, ratio: float
) -> tuple[float, float, float]:
  """Returns the squared residual, the squared weights, and the effective number of weights."""
  shares = spectrum / (ratio + spectrum)
  residual = (inside * (1 - shares) ** 2).sum() + outside
  squares = (inside * spectrum / (ratio + spectrum) ** 2).sum()
  return residual, squares, shares.sum()
