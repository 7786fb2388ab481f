"""float64 NumPy references of `tlda.losses.discrepancy`."""

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from tests.references import SIZES, Argument, Minimum, one_hot


def _logits(rows: str) -> Argument:
  return Argument(rows, lambda rng, size: rng.normal(size=(size[rows], size['classes'])), real=True)


ARGUMENTS = {
  'other_logits': _logits('batch'),
  'source_other_logits': _logits('source'),
  'target_other_logits': _logits('target'),
}

_BATCH = one_hot(np.arange(SIZES['batch']) % SIZES['classes'])
_SOURCE = 100 * one_hot(np.arange(SIZES['source']) % SIZES['classes'])
_TARGET = 100 * one_hot(np.arange(SIZES['target']) % SIZES['classes'])

MINIMA = {
  # Probabilities do not change when all logits of a row grow alike.
  'classifier_discrepancy': Minimum(0.0, {'logits': _BATCH, 'other_logits': _BATCH + 3.0}),
  'sliced_wasserstein_discrepancy': Minimum(
    0.0, {'logits': _BATCH, 'other_logits': _BATCH[::-1] + 3.0, 'key': jax.random.key(0)}
  ),
  'margin_disparity': Minimum(
    0.0,
    {
      'source_logits': _SOURCE,
      'source_other_logits': _SOURCE,
      'target_logits': _TARGET,
      'target_other_logits': np.roll(_TARGET, 1, axis=1),
    },
  ),
}
SETTINGS = {
  'margin_disparity': [{}, {'margin': 2.0}],
  'sliced_wasserstein_discrepancy': [{}, {'projections': 3}],
}
STOPPED = {'margin_disparity': ['source_logits', 'target_logits']}


def _softmax(logits: NDArray) -> NDArray:
  return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def classifier_discrepancy(logits: NDArray, other_logits: NDArray) -> NDArray:
  """Takes the larger minus the smaller probability, class by class."""
  one, other = _softmax(logits), _softmax(other_logits)
  gaps = [np.maximum(p, q) - np.minimum(p, q) for p, q in zip(one.T, other.T, strict=True)]
  return sum(gaps) / len(gaps)


def sliced_wasserstein_discrepancy(
  logits: NDArray, other_logits: NDArray, key: jax.Array, *, projections: int = 128
) -> float:
  """Walks over the directions, and finds each point's partner by its rank."""
  shape = (logits.shape[1], projections)
  directions = np.asarray(jax.random.normal(key, shape, jnp.float32), np.float64).T
  one, other = _softmax(logits), _softmax(other_logits)
  total = 0.0
  for direction in directions:
    unit = direction / np.sqrt(direction @ direction)
    ranks = [np.argsort([point @ unit for point in cloud]) for cloud in (one, other)]
    total += sum(((one[i] - other[j]) @ unit) ** 2 for i, j in zip(*ranks, strict=True))
  return total / projections / len(logits)


def margin_disparity(
  source_logits: NDArray,
  source_other_logits: NDArray,
  target_logits: NDArray,
  target_other_logits: NDArray,
  *,
  margin: float = 4.0,
) -> float:
  """Looks up each probability, example by example."""
  source, target = _softmax(source_other_logits), _softmax(target_other_logits)
  copies = [-np.log(p[first.argmax()]) for first, p in zip(source_logits, source, strict=True)]
  parts = [-np.log(1 - p[first.argmax()]) for first, p in zip(target_logits, target, strict=True)]
  return margin * np.mean(copies) + np.mean(parts)
