"""The sliced Wasserstein distance."""

import numpy as np
from jax.typing import ArrayLike

from tlda.evaluation.divergences._samples import standardized


def sliced_wasserstein(
  source_features: ArrayLike, target_features: ArrayLike, directions: int = 200, seed: int = 0
) -> float:
  """Measures what it costs to move one domain to the other, seen from many directions.

  Bonneel et al., *Sliced and Radon Wasserstein barycenters of measures* (2015): the root of the
  mean, over directions on the unit sphere, of the squared 2-Wasserstein distance of the projected
  samples, which in one dimension is that of their quantiles. Features are standardised; a shift of
  all of them by their deviation is about a distance of 1, however many they are.

  Args:
    source_features: `[n, d]`, finite; at least 2 rows.
    target_features: `[m, d]`, finite; at least 2 rows.
    directions: How many.
    seed: Of the directions.

  Raises:
    ValueError: A domain has fewer than 2 examples, or features are not finite or do not match.
  """
  source, target = standardized(source_features, target_features)
  sphere = np.random.default_rng(seed).normal(size=(source.shape[1], directions))
  sphere /= np.linalg.norm(sphere, axis=0)
  ordered = [np.sort(rows @ sphere, axis=0) for rows in (source, target)]
  # Quantile functions are steps: between two of all their ends both are constant.
  n, m = len(source), len(target)
  ends = np.unique(np.concatenate([np.arange(n + 1) * m, np.arange(m + 1) * n]))
  places = [ends[:-1] // count for count in (m, n)]
  gaps = ordered[0][places[0]] - ordered[1][places[1]]
  return float(np.sqrt(np.diff(ends) @ np.mean(gaps**2, axis=1) / (n * m)))
