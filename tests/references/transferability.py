"""Scores of transferability from the papers' formulae, in float64, by loops and brute force."""

import math
from collections.abc import Callable

import numpy as np


def log_me(features: np.ndarray, labels: np.ndarray, precision: float = 1e6) -> float:
  """Maximises the density of y under N(0, I / beta + F F' / alpha), by two nested searches."""
  gram = features @ features.T
  scores = []
  for label in np.unique(labels):
    y = (labels == label).astype(float)

    def best_noise(log_alpha: float, y: np.ndarray = y) -> float:
      density = lambda log_beta: _log_density(y, gram, math.exp(log_alpha), math.exp(log_beta))
      return _maximum(density, -8.0, math.log(precision))

    scores.append(_maximum(best_noise, -12.0, 16.0) / len(labels))
  return float(np.mean(scores))


def _log_density(y: np.ndarray, gram: np.ndarray, alpha: float, beta: float) -> float:
  """Returns log N(y; 0, I / beta + gram / alpha)."""
  covariance = np.eye(len(y)) / beta + gram / alpha
  volume = np.linalg.slogdet(covariance)[1]
  distance = y @ np.linalg.solve(covariance, y)
  return -0.5 * (len(y) * math.log(2 * math.pi) + volume + distance)


def _maximum(function: Callable[[float], float], low: float, high: float) -> float:
  """Returns the greatest value on an interval: the best of a grid, then the golden section."""
  grid = np.linspace(low, high, 15)
  place = int(np.argmax([function(x) for x in grid]))
  low, high = grid[max(place - 1, 0)], grid[min(place + 1, 14)]
  golden = (math.sqrt(5) - 1) / 2
  for _ in range(25):
    a, b = high - golden * (high - low), low + golden * (high - low)
    if function(a) > function(b):
      high = b
    else:
      low = a
  return max(function(x) for x in (low, (low + high) / 2, high))


def leep(source_probabilities: np.ndarray, labels: np.ndarray) -> float:
  """Equations 1 and 2 of the paper, term by term."""
  examples, sources = source_probabilities.shape
  classes = sorted(set(labels.tolist()))
  joint = {(y, z): 0.0 for y in classes for z in range(sources)}
  for i in range(examples):
    for z in range(sources):
      joint[labels[i], z] += source_probabilities[i, z] / examples
  total = 0.0
  for i in range(examples):
    probability = 0.0
    for z in range(sources):
      marginal = sum(joint[y, z] for y in classes)
      if marginal:
        probability += joint[labels[i], z] / marginal * source_probabilities[i, z]
    total += math.log(probability)
  return total / examples


def nce(source_labels: np.ndarray, labels: np.ndarray) -> float:
  """Minus the conditional entropy: H(Z) - H(Y, Z)."""
  pairs = list(zip(source_labels.tolist(), labels.tolist(), strict=True))
  return _entropy([z for z, _ in pairs]) - _entropy(pairs)


def _entropy(values: list) -> float:
  shares = [values.count(value) / len(values) for value in set(values)]
  return -sum(share * math.log(share) for share in shares)


def h_score(features: np.ndarray, labels: np.ndarray, *, shrinkage: bool = False) -> float:
  """The trace, from covariances that are summed example by example."""
  mean = features.mean(0)
  examples, size = features.shape
  covariance, between = np.zeros((size, size)), np.zeros((size, size))
  for x, label in zip(features, labels, strict=True):
    covariance += np.outer(x - mean, x - mean) / examples
    centre = features[labels == label].mean(0) - mean
    between += np.outer(centre, centre) / examples
  if not shrinkage:
    return float(np.trace(np.linalg.pinv(covariance, rcond=1e-10, hermitian=True) @ between))
  # Ledoit and Wolf (2004), section 3.2: norms are divided by the dimension.
  identity = np.trace(covariance) / size * np.eye(size)
  spread = ((covariance - identity) ** 2).sum() / size
  noise = sum(((np.outer(x - mean, x - mean) - covariance) ** 2).sum() / size for x in features)
  share = min(noise / examples**2, spread) / spread
  shrunken = (1 - share) * covariance + share * identity
  return float((1 - share) * np.trace(np.linalg.solve(shrunken, between)))


def trans_rate(features: np.ndarray, labels: np.ndarray, *, distortion: float = 1e-4) -> float:
  """Coding rates from the eigenvalues of second moments."""
  centred = features - features.mean(0)

  def rate(rows: np.ndarray) -> float:
    moments = sum(np.outer(x, x) for x in rows) / len(rows)
    return 0.5 * sum(math.log1p(max(x, 0) / distortion) for x in np.linalg.eigvalsh(moments))

  within = [rate(centred[labels == label]) for label in np.unique(labels)]
  return rate(centred) - sum(within) / len(within)


def knn_accuracy(
  features: np.ndarray, labels: np.ndarray, *, neighbours: int = 5, metric: str = 'cosine'
) -> float:
  """Every example by itself, its votes counted one by one."""
  right = 0
  for i, x in enumerate(features):
    others = [j for j in range(len(features)) if j != i]
    if metric == 'cosine':
      distance = lambda j, x=x: -x @ features[j] / np.linalg.norm(x) / np.linalg.norm(features[j])
    else:
      distance = lambda j, x=x: np.linalg.norm(x - features[j])
    ranked = [labels[j] for j in sorted(others, key=distance)[:neighbours]]
    right += max(ranked, key=ranked.count) == labels[i]
  return right / len(features)
