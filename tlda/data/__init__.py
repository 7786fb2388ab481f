"""Domains by name, and the order in which their examples are seen."""

from tlda.data.catalog import load, names
from tlda.data.domains import Domain, Split, channel_mean, draw, fit_together, in_color
from tlda.data.streams import Stream

__all__ = [
  'Domain',
  'Split',
  'Stream',
  'channel_mean',
  'draw',
  'fit_together',
  'in_color',
  'load',
  'names',
]
