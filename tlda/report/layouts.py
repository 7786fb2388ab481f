"""Rows of results as Markdown: a line for each run, or for each method with a column a pair."""

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tlda.report import text

Row = Mapping[str, Any]

# More pairs of domains than these are columns of one table, and not tables of their own.
FEW_PAIRS = 3
# What a row may be a number of, the first that a result has, and what that is called.
MEASURES = {'h_score': 'H-score', 'error': 'error', 'accuracy': 'accuracy'}
_ORACLE = 'oracle (uses target labels)'


def draw(protocol: str, rows: Sequence[Row]) -> str:
  """Returns the table, or tables, of one protocol.

  With one number a run, a line says all of it. With several, each chosen by a rule of its own,
  there is a table for each pair of domains and a column for each rule; of many pairs one table,
  with a column for each.

  Args:
    protocol: Its name.
    rows: As `tables.row` makes them.
  """
  pairs = dict.fromkeys(map(_pair, rows))
  measure = MEASURES[rows[0].get('measure', 'accuracy')]
  head = (
    f'**{_cell(protocol)}**: {measure} in percent on the target test examples, mean ± sample '
    f'standard deviation over seeds'
  )
  if len(pairs) > FEW_PAIRS:
    return f'{head}.\n\n{_by_pair(rows, list(pairs))}\n{_notes(rows)}{_of_all(rows)}'
  if len({entry['selection'] for entry in rows}) == 1:
    return f'{head}.\n\n{_by_run(rows)}\n{_of_each(rows)}'
  tables = (
    f'{head}, {_cell(pair)}.\n\n{_by_rule([entry for entry in rows if _pair(entry) == pair])}'
    for pair in pairs
  )
  return '\n'.join(tables) + f'\n{_notes(rows)}{_of_all(rows)}'


def _by_run(rows: Sequence[Row]) -> str:
  columns = ['Source → target', 'Method', 'Target test', 'Published', 'Difference', 'Seeds']
  return _table([*columns, 'Selection'], '--rrrr-', [_cells(entry) for entry in rows])


def _by_rule(rows: Sequence[Row]) -> str:
  """Returns a line for each method, a column for each rule."""
  rules = list(dict.fromkeys(entry['selection'] for entry in rows))
  lines = []
  for method in dict.fromkeys(entry['method'] for entry in rows):
    own = {entry['selection']: entry for entry in rows if entry['method'] == method}
    entry = next(iter(own.values()))
    numbers = [_number(own[rule]) if rule in own else '–' for rule in rules]
    lines.append([_marked(entry), *numbers, *_published(entry), str(len(entry['seeds']))])
  columns = ['Method', *map(_rule, rules), 'Published', 'Difference', 'Seeds']
  return _table(columns, '-' + 'r' * (len(columns) - 1), lines)


def _by_pair(rows: Sequence[Row], pairs: Sequence[str]) -> str:
  """Returns a line for each method, a column for each pair, by the first rule; then the means."""
  rules = list(dict.fromkeys(entry['selection'] for entry in rows))
  lines = []
  for method in dict.fromkeys(entry['method'] for entry in rows):
    own = {(entry['selection'], _pair(entry)): entry for entry in rows if entry['method'] == method}
    shown = [_short(own.get((rules[0], pair))) for pair in pairs]
    first = next(iter(own.values()))
    means = [_mean([own.get((rule, pair)) for pair in pairs]) for rule in rules]
    lines.append([_marked(first), *shown, *means])
  lines += _published_lines(rows, pairs, len(rules))
  columns = ['Method', *pairs, *(f'Mean, {_rule(rule)}' for rule in rules)]
  return _table(columns, '-' + 'r' * (len(columns) - 1), lines)


def _published_lines(rows: Sequence[Row], pairs: Sequence[str], rules: int) -> list[list[str]]:
  """Returns a line for each method whose numbers are published, beneath the measured ones."""
  lines = []
  for method in dict.fromkeys(entry['method'] for entry in rows if entry['published']):
    known = {
      _pair(entry): entry['published']['value']
      for entry in rows
      if entry['method'] == method and entry['published']
    }
    numbers = [text.percent(known[pair]) if pair in known else '–' for pair in pairs]
    whole = all(pair in known for pair in pairs)
    mean = text.percent(float(np.mean(list(known.values())))) if whole else '–'
    lines.append([f'{method}, published', *numbers, mean, *['–'] * (rules - 1)])
  return lines


def _table(columns: Sequence[str], alignment: str, lines: Sequence[Sequence[str]]) -> str:
  rule = ''.join('--:|' if side == 'r' else '---|' for side in alignment)
  rows = [f'| {" | ".join(map(_cell, cells))} |\n' for cells in (columns, *lines)]
  return f'{rows[0]}|{rule}\n{"".join(rows[1:])}'


def _cells(entry: Row) -> list[str]:
  """Returns the cells of a line that says all of one run."""
  return [
    _pair(entry),
    entry['method'],
    _number(entry),
    *_published(entry),
    str(len(entry['seeds'])),
    _rule(entry['selection']),
  ]


def _pair(entry: Row) -> str:
  return text.arrow(entry['source'], entry['target'])


def _rule(name: str) -> str:
  return _ORACLE if name == 'oracle' else name


def _number(entry: Row) -> str:
  std = entry['target_test_std']
  return text.percent(entry['target_test_mean']) + (
    '' if std is None else f' ± {text.percent(std)}'
  )


def _published(entry: Row) -> list[str]:
  """Returns the published number, and how far the measured one is from it."""
  if not entry['published']:
    return ['–', '–']
  value = entry['published']['value']
  return [text.percent(value), text.difference(entry['target_test_mean'] - value)]


def _short(entry: Row | None) -> str:
  return _number(entry) if entry else '–'


def _mean(entries: Sequence[Row | None]) -> str:
  """Returns the mean over pairs, where none is missing."""
  found = [entry['target_test_mean'] for entry in entries if entry]
  return text.percent(float(np.mean(found))) if len(found) == len(entries) else '–'


def _marked(entry: Row) -> str:
  return entry['method'] + ('*' if entry.get('note') else '')


def _notes(rows: Sequence[Row]) -> str:
  """Returns what is to be said of single methods."""
  notes = dict.fromkeys((entry['method'], entry['note']) for entry in rows if entry.get('note'))
  lines = ''.join(f'- \\* {_cell(method)}: {_cell(note)}\n' for method, note in notes)
  return f'{lines}\n' if lines else ''


def _of_each(rows: Sequence[Row]) -> str:
  """Returns what it takes to make each number again, folded away."""
  made = [
    f'- {_cell(entry["method"])}, {_cell(_pair(entry))}: '
    f'{_code(entry["command"])} at {_code(entry["commit"][:12])}'
    for entry in rows
  ]
  return _folded('How each number was made', made + _sources(rows))


def _of_all(rows: Sequence[Row]) -> str:
  """Returns one command as an example, and where all of them stand."""
  first = rows[0]
  commits = dict.fromkeys(entry['commit'][:12] for entry in rows)
  made = [
    f'- such as {_code(first["command"])}; the command and commit of each stand in the JSON file '
    'beside this',
    f'- commits: {", ".join(map(_code, commits))}',
  ]
  return _folded('How these numbers were made', made + _sources(rows))


def _sources(rows: Sequence[Row]) -> list[str]:
  data = {name: facts for entry in rows for name, facts in (entry['data'] or {}).items()}
  hashes = [f'{_cell(name)} {_code(_hash(facts["sha256"]))}' for name, facts in data.items()]
  references = dict.fromkeys(
    entry['published']['reference'] for entry in rows if entry['published']
  )
  lines = [f'- sha256: {", ".join(hashes)}'] * bool(hashes)
  fixed = dict.fromkeys(
    entry['protocol_sha256'][:12] for entry in rows if 'protocol_sha256' in entry
  )
  lines += [f'- Protocol with its data: {", ".join(map(_code, fixed))}'] * bool(fixed)
  return lines + [f'- Published: {_cell("; ".join(references))}'] * bool(references)


def _folded(summary: str, lines: Sequence[str]) -> str:
  listed = '\n'.join(lines)
  return f'<details><summary>{summary}</summary>\n\n{listed}\n\n</details>\n'


def _cell(content: str) -> str:
  """Returns a text that cannot end its cell or begin an element."""
  return re.sub(r'\s+', ' ', html.escape(content, quote=False)).replace('|', '\\|')


def _code(content: str) -> str:
  """Returns a text set as code, whatever it holds."""
  return f'<code>{_cell(content)}</code>'


def _hash(value: str | Mapping[str, str]) -> str:
  """Returns the beginning of a hash, or of the hash of each split."""
  if isinstance(value, Mapping):
    return ', '.join(f'{split} {part[:12]}' for split, part in value.items())
  return value[:12]
