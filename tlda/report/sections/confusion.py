"""Which classes of the target are taken for which."""

from collections.abc import Sequence

import numpy as np

from tlda.report.figures import picture
from tlda.report.markup import Markup, element
from tlda.report.runs import Run
from tlda.report.sections import parts

_WRITTEN = 20
_LEAD = (
  'Target test examples, summed over seeds. Rows: the true class; columns: the predicted one; in '
  'percent of the row.'
)


def section(runs: Sequence[Run]) -> Markup:
  """Returns a confusion matrix for each run that has one."""
  figures = [
    parts.figure(_matrix(run, shares), parts.run_name(runs, place), _worst(run, shares))
    for place, run in enumerate(runs)
    if (shares := _shares(run)) is not None
  ]
  return (
    parts.section('Confusion', parts.grid(figures, 3 if len(figures) > 2 else 2), lead=_LEAD)
    if figures
    else Markup()
  )


def _shares(run: Run) -> np.ndarray | None:
  """Returns the confusion matrix with each row divided by its sum: `[classes, classes]`."""
  matrices = (run.result.get('confusion_matrix') or {}).get('target_test')
  if not matrices:
    return None
  counts = np.sum(matrices, axis=0)
  return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _matrix(run: Run, shares: np.ndarray) -> Markup:
  """Returns the matrix as a table, or as a picture where there are too many classes to write."""
  if len(shares) > _WRITTEN:
    pixels = np.zeros((*shares.shape, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = (0, 114, 178), np.round(255 * shares)
    alt = f'confusion matrix of {len(shares)} classes, {run.label}'
    return element('img', src=picture(pixels), alt=alt, class_='matrix')
  names = [run.class_name(label) for label in range(len(shares))]
  longest = max(map(len, names))
  head = [element('th', element('span', name), scope='col') for name in names]
  corner = element('td', style=f'width:{min(longest, 12) * 0.62 + 0.8:.1f}em')
  rows = [
    element('tr', element('th', name, scope='row'), *map(_cell, row))
    for name, row in zip(names, shares, strict=True)
  ]
  body = element(
    'table', element('tr', corner, *head), *rows, class_=f'matrix{" tall" * (longest > 3)}'
  )
  return element('div', body, class_='scroll')


def _cell(share: float) -> Markup:
  """Returns one cell, the darker the greater its share."""
  written = f'{100 * share:.0f}' if share >= 0.005 else ''
  kind = 'share strong' if share > 0.6 else 'share'
  return element('td', written, style=f'--share:{share:.2f}', class_=kind)


def _worst(run: Run, shares: np.ndarray) -> str:
  """Names the three most frequent confusions."""
  errors = shares - np.diag(np.diag(shares))
  places = np.argsort(errors, axis=None)[::-1][:3]
  pairs = (np.unravel_index(place, shares.shape) for place in places)
  named = [
    f'{run.class_name(int(true))} → {run.class_name(int(taken))} ({errors[true, taken]:.0%})'
    for true, taken in pairs
    if errors[true, taken] > 0
  ]
  return f'Most confused: {", ".join(named)}' if named else 'No errors'
