"""Deep embedded A-distance."""

import numpy as np

from tlda.evaluation.divergences import proxy_a_distance
from tlda.evaluation.validators._arrays import narrowed, shuffled

_ROWS = 300  # Of each domain: more change little, and the machine's time grows with them.


def a_distance(source_train_features: np.ndarray, target_train_features: np.ndarray) -> float:
  """Returns minus the proxy A-distance of the domains in the space of features, in [-2, 0].

  Ben-David, Blitzer, Crammer, Pereira, *Analysis of representations for domain adaptation* (2007),
  as `tlda.evaluation.proxy_a_distance` measures it, on at most 300 examples of each domain, and at
  most 128 random projections of their features. Of the classes it sees nothing: features that lost
  them all are the closest.

  Args:
    source_train_features: `[n, d]`, at least 4 rows.
    target_train_features: `[m, d]`, at least 4 rows.
  """
  domains = (source_train_features, target_train_features)
  return 0.0 - proxy_a_distance(*(narrowed(shuffled(x)[:_ROWS]) for x in domains))
