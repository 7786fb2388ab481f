"""Which methods of a table differ from its first one by more than the noise of the seeds."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tlda.evaluation.paired import holm, sign_flip
from tlda.report import text

Row = Mapping[str, Any]

# With fewer differences no exact p is below 0.05: the smallest is 2 / 2^n.
FEWEST = 6


@dataclasses.dataclass(frozen=True)
class Comparison:
  """What is known of the differences to the first method.

  Attributes:
    heading: Of the column.
    cells: One a line, or none, where nothing can be told.
    remark: What the cells mean, or why there are none; empty, where no row knows its seeds.
  """

  heading: str
  cells: Sequence[str]
  remark: str


def compare(names: Sequence[str], lines: Sequence[Sequence[Row | None]]) -> Comparison:
  """Tests each line against the first.

  Args:
    names: What each line is called.
    lines: The rows of each, one a pair of domains, in the same order of pairs. A line takes part
      where none is missing, and each knows the number of each of the seeds that the first has.
  """
  heading = f'Against {names[0]} (p)'
  found = [_differences(line, lines[0]) for line in lines[1:]]
  tested = [own for own in found if own is not None]
  if not tested:
    return Comparison(heading, (), '')
  count, runs = len(tested[0]), sum(len(row['seeds']) for row in lines[0] if row)
  what = 'pairs of equal seeds' if count == runs else 'sources and seeds'
  if count < FEWEST:
    why = f'with {count} {what} no exact p is below {2 / 2**count:g}'
    return Comparison(heading, (), f'No difference to {names[0]} is tested: {why}.')
  corrected = iter(holm([sign_flip(own) for own in tested]))
  cells = ['–' if own is None else _cell(own, next(corrected)) for own in found]
  merged = f' of its {count} means, each of one source and seed over all targets'
  remark = (
    f'{heading}: the mean difference to {names[0]} over {runs} pairs of equal domains and seeds, '
    f'and the two-sided p of an exact sign-flip test{merged * (count < runs)}, corrected by Holm '
    f'for the number of methods tested ({len(tested)}). Below 0.05 a difference is larger than the '
    'noise over these.'
  )
  return Comparison(heading, ['–', *cells], remark)


def _differences(line: Sequence[Row | None], first: Sequence[Row | None]) -> list[float] | None:
  """Returns a difference for each source and seed, or None, where lines do not match.

  It is the mean over targets: what learned from one source with one seed, perhaps the very same
  network, is good or bad on all of them alike, so that flipping each by itself would count noise
  several times.
  """
  differences: dict[tuple[str, ...], list[list[float]]] = {}
  for own, base in zip(line, first, strict=True):
    if not own or not base or own['seeds'] != base['seeds']:
      return None
    if 'target_test' not in own or 'target_test' not in base:
      return None
    each = np.subtract(own['target_test'], base['target_test']).tolist()
    differences.setdefault(tuple(own['source']), []).append(each)
  return [mean for each in differences.values() for mean in np.mean(each, axis=0).tolist()]


def _cell(differences: Sequence[float], p: float) -> str:
  return f'{text.difference(float(np.mean(differences)))} ({text.probability(p)})'
