"""Numbers over seeds."""

from collections.abc import Sequence

import numpy as np


def mean_and_std(values: Sequence[float]) -> tuple[float, float | None]:
  """Returns mean and sample standard deviation (n - 1) over seeds; one seed has no deviation."""
  return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None
