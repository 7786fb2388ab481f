"""What tables of results say: the text of each cell, which Markdown, LaTeX and CSV all draw."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tlda.errors import UserError
from tlda.report import comparisons, origins, text
from tlda.report.origins import Origins

Row = Mapping[str, Any]

# More pairs of domains than these are columns of one table, and not tables of their own.
FEW_PAIRS = 3
# What a row may be a number of, the first that a result has, and what that is called.
MEASURES = {'h_score': 'H-score', 'error': 'error', 'accuracy': 'accuracy'}
NONE = '–'
_ORACLE = 'oracle (uses target labels)'
# Of a printed mean and the printed numbers that it is of, in points: each is rounded to 0.01.
_ROUNDING = 0.01 + 1e-9


@dataclasses.dataclass(frozen=True)
class Table:
  """Cells, as they are printed.

  Attributes:
    caption: What the numbers are.
    columns: The head of each.
    alignment: 'l' or 'r' for each.
    lines: The cells.
    averaged: How many columns after the first have their mean in the column behind them; 0, where
      no mean is printed.
  """

  caption: str
  columns: Sequence[str]
  alignment: str
  lines: Sequence[Sequence[str]]
  averaged: int = 0


@dataclasses.dataclass(frozen=True)
class Section:
  """What there is of one protocol.

  Attributes:
    protocol: Its name.
    tables: One, or one for each pair of domains.
    remarks: Sentences on all of it.
    notes: What is to be said of single methods: each and its note.
    made: How the numbers were made.
  """

  protocol: str
  tables: Sequence[Table]
  remarks: Sequence[str]
  notes: Sequence[tuple[str, str]]
  made: Origins


def sections(rows: Sequence[Row]) -> list[Section]:
  """Returns what there is of each protocol, in the order of its first row.

  With one number a run, a line says all of it. With several, each chosen by a rule of its own,
  there is a table for each pair of domains and a column for each rule; of many pairs one table,
  with a column for each. A line of several numbers is of one method at one commit: what was made
  by two versions of the code is not averaged.

  Args:
    rows: As `tables.row` makes them.

  Raises:
    UserError: A printed mean is not that of the printed numbers.
  """
  protocols = dict.fromkeys(entry['protocol'] for entry in rows)
  found = [_section(name, [row for row in rows if row['protocol'] == name]) for name in protocols]
  for section in found:
    for table in section.tables:
      check_means(table)
  return found


def check_means(table: Table) -> None:
  """Checks that printed means are those of the printed numbers, to their rounding.

  Raises:
    UserError: One is not.
  """
  for name, *cells in table.lines if table.averaged else ():
    mean, numbers = cells[table.averaged], cells[: table.averaged]
    if mean == NONE:
      continue
    expected = np.mean([float(cell.partition(' ')[0]) for cell in numbers])
    if abs(float(mean) - expected) > _ROUNDING:
      raise UserError(
        f'the mean of {name} is printed as {mean}, and its numbers have {expected:.2f}'
      )


def _section(protocol: str, rows: Sequence[Row]) -> Section:
  pairs = list(dict.fromkeys(map(pair, rows)))
  if len(pairs) > FEW_PAIRS:
    drawn, made = [_by_pair(rows, pairs)], origins.of_all(rows)
  elif len(rules(rows)) == 1:
    drawn, made = [_by_run(rows, pairs)], origins.of_each(rows)
  else:
    drawn = [_by_rule([row for row in rows if pair(row) == name], name) for name in pairs]
    made = origins.of_all(rows)
  remarks = list(dict.fromkeys(remark for _, remarks in drawn for remark in remarks))
  notes = dict.fromkeys((entry['method'], entry['note']) for entry in rows if entry.get('note'))
  return Section(protocol, [table for table, _ in drawn], remarks, list(notes), made)


def _caption(rows: Sequence[Row]) -> str:
  measure = MEASURES[rows[0].get('measure', 'accuracy')]
  return (
    f'{measure} in percent on the target test examples, mean ± sample standard deviation over seeds'
  )


def _by_run(rows: Sequence[Row], pairs: Sequence[str]) -> tuple[Table, list[str]]:
  """Returns a line for each run, compared with the first one of its pair."""
  columns = ['Source → target', 'Method', 'Target test', 'Published', 'Difference', 'Seeds']
  columns, alignment = [*columns, 'Selection'], 'llrrrrl'
  compared, remarks, headings = {}, [], {}
  for name in pairs:
    places = [place for place, entry in enumerate(rows) if pair(entry) == name]
    names = [rows[place]['method'] for place in places]
    found = comparisons.compare(names, [[rows[place]] for place in places])
    remarks += [found.remark] * bool(found.remark)
    if found.cells:
      headings[found.heading] = None
      compared |= zip(places, found.cells, strict=True)
  lines = [_cells(entry) for entry in rows]
  if compared:
    lines = [[*line, compared.get(place, NONE)] for place, line in enumerate(lines)]
    columns, alignment = [*columns, ', '.join(headings)], alignment + 'r'
  return Table(_caption(rows), columns, alignment, lines), list(dict.fromkeys(remarks))


def _by_rule(rows: Sequence[Row], name: str) -> tuple[Table, list[str]]:
  """Returns a line for each method, a column for each rule."""
  chosen, lines, first = rules(rows), [], []
  for label, entries in _grouped(rows).items():
    own = {entry['selection']: entry for entry in entries}
    entry = entries[0]
    first.append([own.get(chosen[0])])
    numbers = [_short(own.get(rule)) for rule in chosen]
    lines.append([label, *numbers, *published(entry), str(len(entry['seeds']))])
  columns = ['Method', *map(rule_name, chosen), 'Published', 'Difference', 'Seeds']
  return _compared(Table(f'{_caption(rows)}, {name}', columns, '', lines), first)


def _by_pair(rows: Sequence[Row], pairs: Sequence[str]) -> tuple[Table, list[str]]:
  """Returns a line for each method, a column for each pair, by the first rule; then the means."""
  chosen, lines, first = rules(rows), [], []
  for label, entries in _grouped(rows).items():
    own = {(entry['selection'], pair(entry)): entry for entry in entries}
    first.append([own.get((chosen[0], name)) for name in pairs])
    means = [_mean([own.get((rule, name)) for name in pairs]) for rule in chosen]
    lines.append([label, *map(_short, first[-1]), *means])
  columns = ['Method', *_heads(rows), *(f'Mean, {rule_name(rule)}' for rule in chosen)]
  step = 'the last step' if chosen[0] == 'last' else f'the step of {rule_name(chosen[0])}'
  caption = f'{_caption(rows)}, each pair at {step}'
  table, remarks = _compared(Table(caption, columns, '', lines, len(pairs)), first)
  below = _published_lines(rows, pairs, len(table.columns))
  return dataclasses.replace(table, lines=[*table.lines, *below]), remarks


def _heads(rows: Sequence[Row]) -> list[str]:
  """Returns each pair of domains, in the order of `rows`, without the folder that all lie in."""
  domains = [name for entry in rows for name in (*entry['source'], entry['target'])]
  names = {name: text.short(name) for name in domains}
  folders = {name[: name.rfind('/') + 1] for name in names.values()}
  folder = folders.pop() if len(folders) == 1 else ''
  bare = lambda name: names[name].removeprefix(folder)
  heads = (text.arrow([*map(bare, entry['source'])], bare(entry['target'])) for entry in rows)
  return list(dict.fromkeys(heads))


def _compared(table: Table, first: Sequence[Sequence[Row | None]]) -> tuple[Table, list[str]]:
  """Adds a column with the differences to the first line, where they can be tested."""
  names = [line[0].removesuffix('*') for line in table.lines]
  found = comparisons.compare(names, first)
  columns, lines = table.columns, table.lines
  if found.cells:
    columns = [*columns, found.heading]
    lines = [[*line, cell] for line, cell in zip(lines, found.cells, strict=True)]
  alignment = 'l' + 'r' * (len(columns) - 1)
  remarks = [found.remark] * bool(found.remark)
  return dataclasses.replace(table, columns=columns, lines=lines, alignment=alignment), remarks


def _published_lines(rows: Sequence[Row], pairs: Sequence[str], columns: int) -> list[list[str]]:
  """Returns a line for each method whose numbers are published, beneath the measured ones."""
  lines = []
  for method in dict.fromkeys(entry['method'] for entry in rows if entry['published']):
    known = {
      pair(entry): entry['published']['value']
      for entry in rows
      if entry['method'] == method and entry['published']
    }
    numbers = [text.percent(known[name]) if name in known else NONE for name in pairs]
    whole = all(name in known for name in pairs)
    mean = text.percent(float(np.mean(list(known.values())))) if whole else NONE
    line = [f'{method}, published', *numbers, mean]
    lines.append(line + [NONE] * (columns - len(line)))
  return lines


def _grouped(rows: Sequence[Row]) -> dict[str, list[Row]]:
  """Returns the rows of each line: of a method, and of each commit, where it has several."""
  commits: dict[str, dict[str, None]] = {}
  for entry in rows:
    commits.setdefault(entry['method'], {})[entry['commit']] = None
  noted = {entry['method'] for entry in rows if entry.get('note')}
  lines: dict[str, list[Row]] = {}
  for method, made in commits.items():
    for commit in made:
      label = method + f' at {text.commit(commit)}' * (len(made) > 1) + '*' * (method in noted)
      own = [row for row in rows if (row['method'], row['commit']) == (method, commit)]
      lines[label] = own
  return lines


def _cells(entry: Row) -> list[str]:
  """Returns the cells of a line that says all of one run."""
  method = entry['method'] + '*' * bool(entry.get('note'))
  of_run = [pair(entry), method, number(entry), *published(entry)]
  return [*of_run, str(len(entry['seeds'])), rule_name(entry['selection'])]


def rules(rows: Sequence[Row]) -> list[str]:
  """Returns the rules by which numbers were chosen; a table of pairs is of the first."""
  return list(dict.fromkeys(entry['selection'] for entry in rows))


def pair(entry: Row) -> str:
  """Returns the domains of a row: 'mnist → usps'."""
  return text.arrow(entry['source'], entry['target'])


def rule_name(name: str) -> str:
  """Returns a rule as it is printed; the oracle says what it is."""
  return _ORACLE if name == 'oracle' else name


def number(entry: Row) -> str:
  """Returns '75.00 ± 5.00'; of a single seed there is no deviation."""
  std = entry['target_test_std']
  return text.percent(entry['target_test_mean']) + (
    '' if std is None else f' ± {text.percent(std)}'
  )


def published(entry: Row) -> list[str]:
  """Returns the published number, and how far the measured one is from it."""
  if not entry['published']:
    return [NONE, NONE]
  value = entry['published']['value']
  return [text.percent(value), text.difference(entry['target_test_mean'] - value)]


def _short(entry: Row | None) -> str:
  return number(entry) if entry else NONE


def _mean(entries: Sequence[Row | None]) -> str:
  """Returns the mean over pairs, where none is missing."""
  found = [entry['target_test_mean'] for entry in entries if entry]
  return text.percent(float(np.mean(found))) if len(found) == len(entries) else NONE
