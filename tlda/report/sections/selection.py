"""What each rule would have chosen, and how well its scores order the steps of a run."""

from collections.abc import Sequence

import numpy as np

from tlda.evaluation.selection import LAST, ORACLE
from tlda.report.markup import Markup, element, join
from tlda.report.runs import Run
from tlda.report.sections import parts

_NOTE = (
  'For each seed, every rule takes the evaluated step that it scores highest. The rank correlation '
  "is Spearman's, of its scores with target test accuracy over the evaluated steps, the mean of "
  'the seeds that have one. Only the oracle sees labels of the target.'
)


def content(runs: Sequence[Run]) -> list[Markup]:
  """Returns the table of rules and what is to be said of it; nothing where none was scored."""
  chosen = [run.result.get('selected') or {} for run in runs]
  scored = list(dict.fromkeys(r for own in chosen for r in own if r not in (LAST, ORACLE)))
  if not scored:
    return []
  head = ['Chosen by']
  for run in runs:
    whose = element('small', run.label) if len(runs) > 1 else Markup()
    head += [join('Target test', whose), join('Rank correlation', whose)]
  rows = []
  for rule in (LAST, *scored, ORACLE):
    cells = [rule.replace('_', ' ')]
    for run, own in zip(runs, chosen, strict=True):
      found = run.result['accuracy']['target_test'] if rule == LAST else own.get(rule)
      cells += [parts.number(found), _correlation(run, rule)]
    rows.append(cells)
  several = any(len(run.result['seeds']) > 1 for run in runs)
  table = parts.table(head, rows, class_=f'numbers{" spreads" * several}')
  return [element('h3', 'Model selection'), table, element('p', _NOTE, class_='note')]


def _correlation(run: Run, rule: str) -> str:
  """Returns the mean over the seeds that have a correlation, the minus as printers set it."""
  values = (run.result.get('rank_correlation') or {}).get(rule) or []
  known = [value for value in values if value is not None]
  return f'{np.mean(known):.2f}'.replace('-', '−') if known else '–'
