"""How far apart two domains are in a space of features."""

from tlda.evaluation.divergences.a_distance import FEWEST, proxy_a_distance
from tlda.evaluation.divergences.error_bound import ErrorBound, error_bound, joint_error
from tlda.evaluation.divergences.maximum_mean_discrepancy import (
  Discrepancy,
  maximum_mean_discrepancy,
)
from tlda.evaluation.divergences.sliced_wasserstein import sliced_wasserstein

__all__ = [
  'FEWEST',
  'Discrepancy',
  'ErrorBound',
  'error_bound',
  'joint_error',
  'maximum_mean_discrepancy',
  'proxy_a_distance',
  'sliced_wasserstein',
]
