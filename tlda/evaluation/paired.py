"""Whether two methods differ by more than noise, on the same pairs of domains and seeds."""

from collections.abc import Sequence

import numpy as np

# Sums of differences are counted in steps of this.
_RESOLUTION = 1e-5


def sign_flip(differences: Sequence[float]) -> float:
  """Tests whether paired differences have a mean of zero, by flipping their signs.

  The exact permutation test of Fisher, *The design of experiments* (1935), section 21: where
  neither method is better, each difference is as likely as its opposite. All 2^n choices of signs
  are counted, as sums of differences in steps of a thousandth of a point; where rounding to these
  cannot tell a sum from the one that was seen, it counts as a tie, so that p is never too small.

  Args:
    differences: `[n]`, fractions.

  Returns:
    The two-sided p: the share of choices whose mean is at least as far from 0 as the one that was
    seen. At least `2 / 2^n`, but where differences are 0.

  Raises:
    ValueError: There is no difference, or one is not finite.
  """
  values = np.asarray(differences, np.float64)
  if not values.size or not np.isfinite(values).all():
    raise ValueError('a sign-flip test needs differences, and finite ones')
  steps = np.rint(values / _RESOLUTION).astype(int)
  sizes = np.abs(steps)
  # Of both sums that are compared.
  rounding = 2 * np.abs(values / _RESOLUTION - steps).sum()
  # chances[k]: of k, the sum of those that are positive; the sum of all is then 2 k - their size.
  chances = np.zeros(sizes.sum() + 1)
  chances[0] = 1
  for size in sizes[sizes > 0]:
    moved = np.concatenate([np.zeros(size), chances[:-size]])
    chances = (chances + moved) / 2
  sums = 2 * np.arange(len(chances)) - sizes.sum()
  return float(min(1.0, chances[np.abs(sums) >= abs(steps.sum()) - rounding].sum()))


def holm(p_values: Sequence[float]) -> list[float]:
  """Corrects the p of several tests, so that one false alarm among them is as rare as p says.

  Holm, *A simple sequentially rejective multiple test procedure* (1979).

  Args:
    p_values: `[n]`, in any order.

  Returns:
    `[n]`, in the same order: the i-th smallest (from 0) times `n - i`, at least the one before it,
    at most 1.
  """
  values = np.asarray(p_values, np.float64)
  order = np.argsort(values, kind='stable')
  factors = len(values) - np.arange(len(values))
  corrected = np.empty_like(values)
  corrected[order] = np.minimum(1, np.maximum.accumulate(values[order] * factors))
  return corrected.tolist()
