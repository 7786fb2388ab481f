"""The maximum mean discrepancy, and whether it is more than chance."""

from typing import NamedTuple

import numpy as np
from jax.typing import ArrayLike

from tlda.evaluation.divergences._samples import standardized

# How many kernels, and the width of the widest, in medians.
_KERNELS, _WIDEST = 5, 4


class Discrepancy(NamedTuple):
  """A squared distance of mean embeddings.

  Attributes:
    squared: Its unbiased estimate; below 0 by chance, where distributions are equal.
    p_value: The share of ways to deal the rows to both domains that give at least as much.
  """

  squared: float
  p_value: float


def maximum_mean_discrepancy(
  source_features: ArrayLike, target_features: ArrayLike, permutations: int = 999, seed: int = 0
) -> Discrepancy:
  """Measures how far the mean embeddings of two domains are apart, and tests it.

  Gretton et al., *A kernel two-sample test* (JMLR 2012): the unbiased statistic of their lemma 6
  and a permutation test. The kernel is the mean of Gaussians `exp(-|x - y|^2 / (2 w))` of
  standardised features, with w a quarter, a half, once, twice and four times the median squared
  distance of rows.

  Args:
    source_features: `[n, d]`, finite; at least 2 rows.
    target_features: `[m, d]`, finite; at least 2 rows.
    permutations: Of rows between the domains; p is at least `1 / (permutations + 1)`.
    seed: Of the permutations.

  Raises:
    ValueError: A domain has fewer than 2 examples, or features are not finite or do not match.
  """
  source, target = standardized(source_features, target_features)
  kernel = _kernel(np.concatenate([source, target]))
  random = np.random.default_rng(seed)
  member = np.repeat([1.0, 0.0], [len(source), len(target)])
  dealt = np.stack([member, *(random.permutation(member) for _ in range(permutations))], axis=1)
  found = _unbiased(kernel, dealt)
  # Dealt alike, but for rounding, is no less.
  reached = int(np.count_nonzero(found[1:] >= found[0] - 1e-12))
  return Discrepancy(float(found[0]), (1 + reached) / (1 + permutations))


def _kernel(rows: np.ndarray) -> np.ndarray:
  """Returns the kernel matrix `[n, n]`, with 0 on its diagonal."""
  lengths = np.sum(rows**2, axis=1)
  distances = np.maximum(lengths[:, None] + lengths - 2 * rows @ rows.T, 0)
  median = np.median(distances[np.triu_indices(len(rows), 1)])
  scale = median if median > 1e-12 else 1.0  # More than half of the rows may be the same.
  # The widest; its square has half the width, and so on.
  kernel = np.exp(-distances / (2 * _WIDEST * scale))
  total = kernel.copy()
  for _ in range(_KERNELS - 1):
    kernel *= kernel
    total += kernel
  np.fill_diagonal(total, 0)
  return total / _KERNELS


def _unbiased(kernel: np.ndarray, dealt: np.ndarray) -> np.ndarray:
  """Returns the statistic for each column of memberships `[rows, columns]`, 1 for the source."""
  sums = kernel @ dealt
  within, rows = np.sum(dealt * sums, axis=0), np.sum(sums, axis=0)
  between, everything = rows - within, kernel.sum()
  n = dealt[:, 0].sum()
  m = len(kernel) - n
  other = everything - 2 * rows + within
  return within / (n * (n - 1)) + other / (m * (m - 1)) - 2 * between / (n * m)
