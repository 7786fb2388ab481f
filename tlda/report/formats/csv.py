"""Rows of results as comma-separated values: the printed numbers, in percent, a line a row."""

import csv
import io
from collections.abc import Sequence

from tlda.report import layouts, text
from tlda.report.layouts import Row

COLUMNS = (
  *('protocol', 'protocol_sha256', 'method', 'source', 'target', 'measure', 'selection'),
  *('mean', 'std', 'seeds', 'each_seed', 'published', 'difference', 'reference', 'command'),
  'commit',
)


def draw(rows: Sequence[Row]) -> str:
  """Returns a line with the names of the columns, and one a row; what is not known is empty.

  Several sources have ' + ' between them, seeds and their numbers a space.

  Args:
    rows: As `tables.row` makes them.
  """
  content = io.StringIO()
  writer = csv.writer(content, lineterminator='\n')
  writer.writerows([COLUMNS, *map(_cells, rows)])
  return content.getvalue()


def _cells(entry: Row) -> list[str]:
  mean, _, std = layouts.number(entry).partition(' ± ')
  known = ['' if cell == layouts.NONE else _ascii(cell) for cell in layouts.published(entry)]
  return [
    *(entry['protocol'], entry.get('protocol_sha256', ''), entry['method']),
    *(' + '.join(entry['source']), entry['target']),
    *(entry.get('measure', 'accuracy'), entry['selection'], mean, std),
    ' '.join(map(str, entry['seeds'])),
    ' '.join(map(text.percent, entry.get('target_test', ()))),
    *(*known, (entry['published'] or {}).get('reference', '')),
    *(entry['command'], entry['commit']),
  ]


def _ascii(number: str) -> str:
  """Returns a number with the minus that programs read."""
  return number.replace('−', '-')
