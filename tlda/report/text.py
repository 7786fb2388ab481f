"""Numbers as people read them."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any


def percent(fraction: float) -> str:
  """Returns '76.66' for 0.7666."""
  return f'{100 * fraction:.2f}'


def difference(fraction: float) -> str:
  """Returns percentage points with a sign, the minus as printers set it: '+1.20', '−0.35'."""
  points = round(100 * fraction, 2) + 0.0  # Nothing is not less than nothing.
  return f'{points:+.2f}'.replace('-', '−')


def arrow(source: list[str], target: str) -> str:
  """Returns 'mnist → mnist_m'; a plus joins several sources, files go by their last name."""
  return f'{" + ".join(map(short, source))} → {short(target)}'


def short(name: str) -> str:
  """Returns 'amazon' of 'npz:runs/features/amazon.npz', and any name that is no place as it is."""
  kind, colon, place = name.partition(':')
  return PurePath(place).stem if colon and kind in ('npz', 'folder') else name


def span(counts: list[int]) -> str:
  """Returns '8,600' where all counts are equal, else '1 to 3'."""
  return ' to '.join(f'{count:,}' for count in sorted({min(counts), max(counts)}))


def compact(value: Any) -> str:
  """Returns any value of a JSON file as one line: 'train 60,000, test 10,000'."""
  if isinstance(value, Mapping):
    return ', '.join(f'{key} {compact(item)}' for key, item in value.items())
  if isinstance(value, list):
    return ', '.join(map(compact, value))
  if isinstance(value, int) and not isinstance(value, bool):
    return f'{value:,}'
  return '–' if value is None else str(value)


def probability(value: float) -> str:
  """Returns '0.031', and '<0.001' for what is less than that."""
  return '<0.001' if value < 0.001 else f'{value:.3f}'


def commit(name: str) -> str:
  """Returns the beginning of a commit, with the plus that says that files had changed since."""
  return name[:12] + '+' * name.endswith('+')
