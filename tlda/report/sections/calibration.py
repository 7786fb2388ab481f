"""Whether the network's probabilities are as often right as they say."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tlda.report.figures import diagram
from tlda.report.markup import Markup, element, join
from tlda.report.palette import run_color
from tlda.report.runs import Run
from tlda.report.sections import parts

_BEFORE = '#8b919b'  # a grey, as after the scaling a run has its own colour
_LEAD = (
  'The expected calibration error is the mean gap, in points, between confidence and accuracy; '
  'over 15 bins of the confidence (Guo et al., 2017). After: logits divided by a temperature that '
  'is fitted on the source test examples, and is a little too good for these themselves. Where the '
  'source is the target, one half of the test examples counts as source.'
)


def section(runs: Sequence[Run]) -> Markup:
  """Returns the errors of the runs that know theirs, and their reliability diagrams."""
  places = [place for place, run in enumerate(runs) if _calibration(run)]
  if not places:
    return Markup()
  splits = ('target_test', 'source_test') if len(runs) == 1 else ('target_test',)
  figures = [_figure(runs, place, split) for place in places for split in splits]
  content = (_table(runs, places), _legend(places), parts.grid(figures, 2))
  return parts.section('Calibration', *content, lead=_LEAD)


def _calibration(run: Run) -> dict[str, Any]:
  """Returns what a run knows of its calibration."""
  return run.result.get('calibration') or {}


def _table(runs: Sequence[Run], places: Sequence[int]) -> Markup:
  """Returns the errors, a line a run."""
  moments = [
    (split, moment) for split in ('target_test', 'source_test') for moment in ('before', 'after')
  ]
  heads = [
    join(split.replace('_', ' ').capitalize(), element('small', f'{moment} scaling'))
    for split, moment in moments
  ]
  rows = [
    [
      parts.run_name(runs, place),
      *(
        parts.number(_calibration(runs[place])[split][moment]['error']) for split, moment in moments
      ),
      f'{np.mean(_calibration(runs[place])["temperature"]):.2f}',
    ]
    for place in places
  ]
  several = any(len(runs[place].result['seeds']) > 1 for place in places)
  kind = f'numbers{" spreads" * several}'
  return parts.table(['Calibration error', *heads, 'Temperature'], rows, class_=kind)


def _figure(runs: Sequence[Run], place: int, split: str) -> Markup:
  """Returns the diagram of a run on a split, before and after."""
  run = runs[place]
  found = _calibration(run)[split]
  name = split.replace('_', ' ')
  drawn = diagram(
    {_BEFORE: found['before']['reliability'], run_color(place): found['after']['reliability']},
    f'Reliability diagram of {run.label}, {name}, before and after temperature scaling',
  )
  title = join(parts.run_name(runs, place), name) if len(runs) > 1 else name.capitalize()
  return parts.figure(drawn, title, f'{found["examples"]:,} examples, all seeds together')


def _legend(places: Sequence[int]) -> Markup:
  """Says which line is before the scaling, and which after."""
  after = [parts.swatch(run_color(place)) for place in places]
  names = (
    element('span', parts.swatch(_BEFORE), 'before temperature scaling', class_='run'),
    element('span', *after, 'after temperature scaling', class_='run'),
  )
  return element('p', *names, class_='legend')
