"""What is measured of a trained model, and which of its steps a number is taken from."""

from tlda.evaluation.divergences import proxy_a_distance
from tlda.evaluation.metrics import mean_and_std
from tlda.evaluation.selection import select

__all__ = [
  'mean_and_std',
  'proxy_a_distance',
  'select',
]
