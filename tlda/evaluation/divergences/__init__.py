"""How far apart two domains are in a space of features."""

from tlda.evaluation.divergences.a_distance import FEWEST, proxy_a_distance

__all__ = [
  'FEWEST',
  'proxy_a_distance',
]
