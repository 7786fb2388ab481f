"""The forest plot of a table: each measured mean with its interval, and what was published.

Drawn by hand, so that it has the same bytes wherever it is drawn; white, as where it is shown the
page's colours are not known.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

from tlda.report import layouts, text
from tlda.report.layouts import Row
from tlda.report.markup import Markup, element
from tlda.report.palette import RUNS

# Pixels: a letter is at most so wide on average, a line so high.
_LETTER, _LINE, _PLOT, _MARGIN = 6.8, 20, 380, 16
_VALUES = 56  # The column of differences.
_INK, _QUIET, _RULE = '#1c1f24', '#626974', '#e3e5e9'
_MEASURED, _PUBLISHED = RUNS[:2]
_CONFIDENCE = 0.95
_TICKS = 7
_LEGEND = 'measured: mean and 95 % t-interval over seeds (one seed has none)', 'published'


def draw(rows: Sequence[Row]) -> str:
  """Returns the plot as an SVG file, or '' where nothing is published.

  A line is a row with a published number, by the first rule of selection of its protocol. On the
  right stands the difference, in points.

  Args:
    rows: As `tables.row` makes them.
  """
  protocols = dict.fromkeys(entry['protocol'] for entry in rows)
  chosen = {name: _published(rows, name) for name in protocols}
  chosen = {name: own for name, own in chosen.items() if own}
  if not chosen:
    return ''
  labels = [_label(entry) for own in chosen.values() for entry in own]
  left = _MARGIN + math.ceil(_LETTER * max(map(len, [*labels, *chosen]))) + 10
  top, parts = _MARGIN + 1.5 * _LINE, [_legend()]
  for name, own in chosen.items():
    parts.append(_panel(name, own, left, top))
    top += (len(own) + 3) * _LINE
  legend = 80 + _LETTER * sum(map(len, _LEGEND))
  width = math.ceil(max(left + _PLOT + _VALUES, legend) + _MARGIN)
  paper = element('rect', width=width, height=f'{top:g}', fill='#ffffff')
  drawn = element(
    'svg', *(element('title', 'Measured and published numbers'), paper, *parts),
    xmlns='http://www.w3.org/2000/svg', width=width, height=f'{top:g}',
    viewBox=f'0 0 {width} {top:g}', role='img', font_size='11',
    font_family='DejaVu Sans, Verdana, Arial, sans-serif',
  )  # fmt: skip
  return drawn.replace('><', '>\n<') + '\n'


def interval(entry: Row) -> tuple[float, float]:
  """Returns the 95 % t-interval of a row's mean over seeds, in percent; of one seed its number."""
  mean, std, count = entry['target_test_mean'], entry['target_test_std'], len(entry['seeds'])
  half = 0.0
  if std is not None:
    half = std / math.sqrt(count) * float(stats.t.ppf((1 + _CONFIDENCE) / 2, count - 1))
  return 100 * max(mean - half, 0), 100 * min(mean + half, 1)


def _published(rows: Sequence[Row], protocol: str) -> list[Row]:
  own = [entry for entry in rows if entry['protocol'] == protocol]
  return [row for row in own if row['published'] and row['selection'] == layouts.rules(own)[0]]


def _label(entry: Row) -> str:
  return f'{layouts.pair(entry)}, {entry["method"]}'


def _legend() -> Markup:
  """Returns what the marks are, at the top."""
  first, second = _LEGEND
  baseline, center = _MARGIN + 4, _MARGIN
  gap = _MARGIN + 34 + math.ceil(_LETTER * len(first)) + 16
  marks = (_measured(_MARGIN, _MARGIN + 22, _MARGIN + 11, center), _diamond(gap, center))
  texts = _text(_MARGIN + 28, baseline, first), _text(gap + 10, baseline, second)
  return element('g', *marks, *texts)


def _panel(name: str, rows: Sequence[Row], left: float, top: float) -> Markup:
  """Returns the lines of one protocol over an axis of its own."""
  ticks = _ticks(rows)
  at = lambda percent: left + _PLOT * (percent - ticks[0]) / (ticks[-1] - ticks[0])
  first, bottom = top + 1.5 * _LINE, top + (len(rows) + 1) * _LINE
  parts = [_text(_MARGIN, top + 12, name, font_weight='bold')]
  parts.append(_text(left + _PLOT + _VALUES, top + 12, 'difference', 'end', _QUIET))
  for tick in ticks:
    parts.append(_stroke(at(tick), first - 10, at(tick), bottom, _RULE))
    parts.append(_text(at(tick), bottom + 14, f'{tick:g}%', 'middle', _QUIET))
  for place, entry in enumerate(rows):
    parts += _line(entry, left, first + place * _LINE, at)
  return element('g', *parts)


def _line(entry: Row, left: float, y: float, at: Callable[[float], float]) -> list[Markup]:
  """Returns the label, the marks and the difference of a row."""
  low, high = map(at, interval(entry))
  mean, value = entry['target_test_mean'], entry['published']['value']
  difference = text.difference(mean - value)
  return [
    _text(left - 10, y + 4, _label(entry), 'end'),
    _measured(low, high, at(100 * mean), y),
    _diamond(at(100 * value), y),
    _text(left + _PLOT + _VALUES, y + 4, difference, 'end'),
  ]


def _ticks(rows: Sequence[Row]) -> np.ndarray:
  """Returns round numbers, the first below and the last above all that is shown."""
  shown = [bound for entry in rows for bound in interval(entry)]
  shown += [100 * entry['published']['value'] for entry in rows]
  low, high = min(shown), max(shown)
  steps = (1, 2, 5, 10, 20)
  step = next((size for size in steps if (high - low) / size < _TICKS - 1), steps[-1])
  first, last = math.floor(low / step), math.ceil(high / step)
  return step * np.arange(min(first, last - 1), last + 1)


def _measured(low: float, high: float, mean: float, y: float) -> Markup:
  """Returns an interval with its mean."""
  dot = element('circle', cx=f'{mean:.1f}', cy=f'{y:g}', r='3.5', fill=_MEASURED)
  return element('g', _stroke(low, y, high, y, _MEASURED, 2), dot)


def _diamond(x: float, y: float) -> Markup:
  """Returns the mark of a published number."""
  path = f'M{x:.1f} {y - 5:g}l5 5l-5 5l-5 -5z'
  return element('path', d=path, fill='none', stroke=_PUBLISHED, stroke_width='1.8')


def _stroke(x: float, y: float, to_x: float, to_y: float, color: str, width: float = 1) -> Markup:
  path = f'M{x:.1f} {y:g}L{to_x:.1f} {to_y:g}'
  return element('path', d=path, stroke=color, stroke_width=f'{width:g}', fill='none')


def _text(
  x: float, y: float, content: str, anchor: str = 'start', color: str = _INK, **more: str
) -> Markup:
  place = {'x': f'{x:.1f}', 'y': f'{y:g}', 'text_anchor': anchor, 'fill': color}
  return element('text', content, **place, **more)
