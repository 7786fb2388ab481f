"""Calibration from the papers' formulae, in float64, example by example."""

import math

import numpy as np


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int) -> float:
  """Equation 3 of Guo et al. (2017)."""
  total = 0.0
  for place in range(bins):
    inside = [i for i, p in enumerate(probabilities) if place / bins < max(p) <= (place + 1) / bins]
    if inside:
      accuracy = np.mean([int(np.argmax(probabilities[i])) == labels[i] for i in inside])
      confidence = np.mean([max(probabilities[i]) for i in inside])
      total += len(inside) / len(labels) * abs(accuracy - confidence)
  return float(total)


def negative_log_likelihood(logits: np.ndarray, labels: np.ndarray) -> float:
  """The mean of `log sum exp(z) - z_y`."""
  terms = [math.log(sum(map(math.exp, z))) - z[y] for z, y in zip(logits, labels, strict=True)]
  return sum(terms) / len(terms)


def temperature(logits: np.ndarray, labels: np.ndarray) -> float:
  """The least negative log-likelihood over ever finer grids of 1 / temperature."""
  low, high = 0.05, 20.0
  for _ in range(9):
    grid = np.linspace(low, high, 21)
    best = int(np.argmin([negative_log_likelihood(b * logits, labels) for b in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, 20)]
  return float(2 / (low + high))
