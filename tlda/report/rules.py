"""How well each selection rule chose, over many finished runs: what honesty costs.

Target labels judge the rules here, after the runs; nothing is chosen by them.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from tlda.errors import UserError
from tlda.evaluation.selection import LAST, ORACLE
from tlda.report import text

Result = Mapping[str, Any]
_STYLE = {'svg.fonttype': 'none', 'svg.hashsalt': 'rules', 'font.family': 'DejaVu Sans'}


def judge(results: Sequence[Result]) -> dict[str, Any]:
  """Returns how far each rule stayed below the best step of each run.

  Only runs that know the same rules can be compared: those with the most rules are.

  Args:
    results: `result.json` of finished runs, with 'selected' and 'rank_correlation'.

  Returns:
    `runs`: {protocol: how many runs}; `seeds`: how many of all; `commits` of the runs; and `rules`:
    for each the means over runs (each the mean of its seeds) of `below_oracle` and `above_last`,
    target accuracy in [0, 1]; `quartiles` of the first; `rank_correlation` with target accuracy
    over the steps, None of 'last'. The best rule comes first.

  Raises:
    UserError: No run knows what a validator would have chosen.
  """
  known = [result for result in results if result.get('rank_correlation')]
  if not known:
    raise UserError('no finished run among these has scores of validators')
  most = max(len(result['selected']) for result in known)
  known = [result for result in known if len(result['selected']) == most]
  names = [name for name in known[0]['selected'] if name != ORACLE]
  rows = [{'rule': name, **_judged(name, known)} for name in names]
  protocols = [result['protocol'] for result in known]
  return {
    'runs': {name: protocols.count(name) for name in sorted(set(protocols))},
    'seeds': sum(len(result['seeds']) for result in known),
    'commits': sorted({str(result['config'].get('commit')) for result in known}),
    'rules': sorted(rows, key=lambda row: row['below_oracle']),
  }


def _judged(name: str, results: Sequence[Result]) -> dict[str, Any]:
  """Returns the numbers of one rule."""
  mean_of = lambda rule: np.array([np.mean(result['selected'][rule]) for result in results])
  below = mean_of(ORACLE) - mean_of(name)
  found = [value for result in results for value in result['rank_correlation'].get(name, [])]
  correlations = [value for value in found if value is not None]
  return {
    'below_oracle': float(below.mean()),
    'quartiles': np.quantile(below, [0.25, 0.75]).tolist(),
    'above_last': float((mean_of(name) - mean_of(LAST)).mean()),
    'rank_correlation': float(np.mean(correlations)) if correlations else None,
  }


def markdown(judged: Mapping[str, Any], command: str) -> str:
  """Returns the table, and beneath it which runs it is of.

  Args:
    judged: As `judge` returns it.
    command: What makes it again.
  """
  runs = sum(judged['runs'].values())
  lines = [
    f'How well each rule chooses a step, over {runs} runs ({judged["seeds"]} trainings): target '
    'test accuracy of the step that it chose, in points below the best step of the same run '
    '(oracle) and above the last; means over runs, the quartiles of the first in brackets; and '
    "Spearman's correlation of its scores with target accuracy over the evaluated steps. Where a "
    'protocol tests the source on what it trains on (that of Office-Caltech10), rules that see '
    'labels of the source see what was learned by heart.',
    '',
    '| Rule | Below the oracle | Above the last | Rank correlation |',
    '|---|--:|--:|--:|',
  ]
  for row in judged['rules']:
    low, high = (f'{100 * value:.2f}' for value in row['quartiles'])
    correlation = row['rank_correlation']
    cells = [
      row['rule'],
      f'{100 * row["below_oracle"]:.2f} ({low} to {high})',
      f'{100 * row["above_last"]:+.2f}',
      '–' if correlation is None else f'{correlation:.2f}',
    ]
    lines.append(f'| {" | ".join(cell.replace("-", "−") for cell in cells)} |')
  told = ', '.join(f'{name} {count}' for name, count in judged['runs'].items())
  commits = ', '.join(f'`{text.commit(commit)}`' for commit in judged['commits'])
  return '\n'.join([*lines, '', f'Runs: {told}. Commits: {commits}. Made by `{command}`.', ''])


def figure(judged: Mapping[str, Any]) -> str:
  """Returns the table as a plot, SVG: a dot for each rule, a line between its quartiles."""
  rows = judged['rules'][::-1]
  places = range(len(rows))
  with matplotlib.rc_context(_STYLE):
    drawn = Figure(figsize=(6.0, 0.8 + 0.24 * len(rows)), layout='constrained')
    axes = drawn.add_subplot()
    ends = np.array([row['quartiles'] for row in rows])
    axes.hlines(places, *100 * ends.T, color='#8fb3d9', linewidth=3)
    axes.plot([100 * row['below_oracle'] for row in rows], places, 'o', color='#1f5fa8')
    axes.set_yticks(places, [row['rule'].replace('_', ' ') for row in rows])
    axes.set_xlabel('points below the oracle: mean, and quartiles over runs')
    axes.set_xlim(left=0)
    axes.spines[['top', 'right']].set_visible(False)
    axes.grid(axis='x', alpha=0.25)
    file = io.StringIO()
    FigureCanvasSVG(drawn).print_svg(file, metadata={'Date': None})
  return file.getvalue()
