"""Unequal label sets: a target that lacks classes of the source, or has classes of its own."""

import dataclasses
import re
from collections.abc import Sequence

import numpy as np

from tlda.data.domains import Domain, Split
from tlda.data.rows import take
from tlda.errors import UserError, nearest

UNKNOWN = 'unknown'


def parse(text: str, classes: Sequence[str], flag: str) -> tuple[int, ...]:
  """Returns the classes that a flag names, as indices in order.

  Args:
    text: Names or numbers with commas, and ranges of numbers: 'bike,mug', '0-5,8'; '' is all.
    classes: The names of all classes.
    flag: Named in the sentence.

  Raises:
    UserError: There is no such class, or none is left.
  """
  if not text.strip():
    return tuple(range(len(classes)))
  chosen: set[int] = set()
  for word in filter(None, map(str.strip, text.split(','))):
    chosen |= _named(word, classes, flag)
  if not chosen:
    raise UserError(f'{flag}={text} names no class')
  return tuple(sorted(chosen))


def _named(word: str, classes: Sequence[str], flag: str) -> set[int]:
  if word in classes:
    return {classes.index(word)}
  first, _, last = word.partition('-')
  # Longer numbers name no class, and the longest Python does not read.
  if not re.fullmatch('[0-9]{1,9}(-[0-9]{1,9})?', word):
    raise UserError(nearest(f'class of {flag}', word[:50], classes))
  low, high = int(first), int(last or first)
  if not low <= high < len(classes):
    raise UserError(f'{flag}={word}: classes go from 0 to {len(classes) - 1}')
  return set(range(low, high + 1))


def restrict(
  sources: Sequence[Domain], target: Domain, of_source: Sequence[int], of_target: Sequence[int]
) -> tuple[list[Domain], Domain]:
  """Leaves each side the examples of its own classes, and one numbering of classes for both.

  The classes are those of the source, in their order; where the target has others, these are one
  more class of the target, 'unknown', the last.

  Args:
    sources: Labelled domains.
    target: The domain to adapt to, of the same classes.
    of_source: The classes that the sources keep, as indices.
    of_target: The classes that the target keeps.

  Raises:
    UserError: Source and target have no class in common, or a split keeps no example.
  """
  if not set(of_source) & set(of_target):
    raise UserError('--source_classes and --target_classes have no class in common')
  private = set(of_target) - set(of_source)
  known = tuple(target.classes[label] for label in of_source)
  both = (*known, UNKNOWN) if private else known
  numbers = np.full(len(target.classes), len(of_source), np.int32)
  numbers[list(of_source)] = np.arange(len(of_source))
  keep = lambda domain, own, names: dataclasses.replace(
    domain,
    classes=names,
    train=_kept(domain, 'train', own, numbers),
    test=_kept(domain, 'test', own, numbers),
  )
  kept = [keep(source, of_source, known) for source in sources]
  return kept, keep(target, of_target, both)


def _kept(domain: Domain, part: str, classes: Sequence[int], numbers: np.ndarray) -> Split:
  """Returns the examples of some classes, with new numbers for labels."""
  split = getattr(domain, part)
  rows = np.flatnonzero(np.isin(split.labels, classes))
  if not len(rows):
    raise UserError(f'{domain.name} has no {part} example of the classes that it is to keep')
  return Split(take(split.inputs, rows), numbers[split.labels[rows]])
