"""Whether a prediction's probability is as often right as it says, and what mends it."""

from typing import NamedTuple

import numpy as np
from jax.typing import ArrayLike

from tlda.errors import UserError

BINS = 15
# Between these a temperature is looked for: where all predictions are right the best one is 0.
COLDEST, HOTTEST = 1e-2, 1e2
_HALVINGS = 60


class Reliability(NamedTuple):
  """The table that a reliability diagram is drawn from, by bins of the confidence.

  Attributes:
    counts: int `[bins]`, the examples whose confidence falls into the bin.
    confidence: `[bins]`, their mean confidence; 0 where there are none.
    accuracy: `[bins]`, the share of them that is right; 0 where there are none.
  """

  counts: np.ndarray
  confidence: np.ndarray
  accuracy: np.ndarray


def reliability(probabilities: ArrayLike, labels: ArrayLike, *, bins: int = BINS) -> Reliability:
  """Sorts predictions into bins of equal width by their confidence, the greatest probability.

  Args:
    probabilities: `[examples, classes]`; rows sum to 1.
    labels: int `[examples]`, each below the number of classes.
    bins: How many; bin b holds confidences in `(b / bins, (b + 1) / bins]`.

  Raises:
    UserError: The arrays do not fit, or rows are no probabilities.
  """
  probabilities, labels = _checked(probabilities, labels, 'probabilities')
  _refuse_improper(probabilities)
  confidence = np.minimum(probabilities.max(1), 1.0)
  right = probabilities.argmax(1) == labels
  places = np.ceil(confidence * bins).astype(int) - 1
  counts = np.bincount(places, minlength=bins)
  mean = lambda values: np.bincount(places, values, bins) / np.maximum(counts, 1)
  return Reliability(counts, mean(confidence), mean(right))


def expected_calibration_error(
  probabilities: ArrayLike, labels: ArrayLike, bins: int = BINS
) -> float:
  """Computes the mean gap between confidence and accuracy, over bins of the confidence.

  Naeini, Cooper, Hauskrecht, *Obtaining well calibrated probabilities using Bayesian binning* (AAAI
  2015); for several classes as in Guo, Pleiss, Sun, Weinberger, *On calibration of modern neural
  networks* (ICML 2017), equation 3.

  Args:
    probabilities: `[examples, classes]`; rows sum to 1.
    labels: int `[examples]`, each below the number of classes.
    bins: How many, of equal width.

  Returns:
    A fraction in [0, 1]. Of few examples it is too great: gaps of chance do not cancel.

  Raises:
    UserError: The arrays do not fit, or rows are no probabilities.
  """
  table = reliability(probabilities, labels, bins=bins)
  gaps = np.abs(table.accuracy - table.confidence)
  return float((table.counts * gaps).sum() / table.counts.sum())


def negative_log_likelihood(logits: ArrayLike, labels: ArrayLike) -> float:
  """Returns the mean of minus the log probability of the labels, in nats.

  Args:
    logits: `[examples, classes]`, finite.
    labels: int `[examples]`, each below the number of classes.

  Raises:
    UserError: The arrays do not fit.
  """
  logits, labels = _checked(logits, labels, 'logits')
  return float(-_log_softmax(logits)[np.arange(len(labels)), labels].mean())


def temperature(logits: ArrayLike, labels: ArrayLike) -> float:
  """Finds what all logits are to be divided by, so that the labels are the most probable.

  Guo et al. (ICML 2017), section 4.2. The negative log-likelihood is convex in `1 / temperature`:
  where its slope changes sign is found by halving. Which class is the most probable never changes.

  Args:
    logits: `[examples, classes]`, finite, of examples that the network was not trained on; and not
      of the target, whose labels nobody has.
    labels: int `[examples]`, each below the number of classes.

  Returns:
    A number in [0.01, 100]; above 1 where the network is too sure of itself. 1 where every label is
    the most probable already, and nothing tells how sure is too sure: the likelihood only grows.

  Raises:
    UserError: The arrays do not fit.
  """
  logits, labels = _checked(logits, labels, 'logits')
  labelled = logits[np.arange(len(labels)), labels]
  if (labelled == logits.max(axis=1)).all():
    return 1.0

  def rises(inverse: float) -> bool:
    """Tells whether the negative log-likelihood grows with 1 / temperature."""
    expected = (np.exp(_log_softmax(inverse * logits)) * logits).sum(1)
    return (expected - labelled).mean() > 0

  low, high = -np.log(HOTTEST), -np.log(COLDEST)
  for _ in range(_HALVINGS):
    middle = (low + high) / 2
    low, high = (low, middle) if rises(np.exp(middle)) else (middle, high)
  return float(np.exp(-(low + high) / 2))


def scaled(logits: ArrayLike, temperature: float = 1.0) -> np.ndarray:
  """Returns the probabilities `[examples, classes]` float64 of logits divided by a temperature.

  Raises:
    UserError: The temperature is not positive.
  """
  if not temperature > 0:
    raise UserError(f'the temperature is {temperature}, and must be positive')
  return np.exp(_log_softmax(np.asarray(logits, np.float64) / temperature))


def _log_softmax(logits: np.ndarray) -> np.ndarray:
  shifted = logits - logits.max(axis=-1, keepdims=True)
  return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _refuse_improper(probabilities: np.ndarray) -> None:
  """Raises unless rows are probabilities, as exact as float16 or bfloat16 can say them."""
  if probabilities.min() < 0 or np.abs(probabilities.sum(1) - 1).max() > 0.01:
    raise UserError('the probabilities are negative or do not sum to 1')


def _checked(rows: ArrayLike, labels: ArrayLike, name: str) -> tuple[np.ndarray, np.ndarray]:
  """Returns predictions in float64, and labels."""
  rows, labels = np.asarray(rows, np.float64), np.asarray(labels)
  if rows.ndim != 2 or labels.shape != rows.shape[:1] or not labels.size:
    shapes = f'{list(rows.shape)} and {list(labels.shape)}'
    raise UserError(f'{name} and labels are of shapes {shapes}, not [n, classes] and [n]')
  if not np.isfinite(rows).all():
    raise UserError(f'{name} hold a number that is not finite')
  if (
    not np.issubdtype(labels.dtype, np.integer)
    or not 0 <= labels.min() <= labels.max() < (rows.shape[1])
  ):
    raise UserError(f'labels are no integers from 0 to {rows.shape[1] - 1}')
  return rows, labels
