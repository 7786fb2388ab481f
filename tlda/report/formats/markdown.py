"""Tables of results as Markdown."""

import html
import re
from collections.abc import Sequence

from tlda.report import layouts
from tlda.report.layouts import Row, Section, Table
from tlda.report.origins import Code, Origins


def draw(rows: Sequence[Row]) -> str:
  """Returns the tables of each protocol, and under them how each of their numbers was made.

  Args:
    rows: As `tables.row` makes them.

  Raises:
    UserError: A printed mean is not that of the printed numbers.
  """
  return '\n'.join(map(_section, layouts.sections(rows)))


def _section(section: Section) -> str:
  tables = '\n'.join(_table(section.protocol, table) for table in section.tables)
  remarks = ''.join(f'{_cell(remark)}\n\n' for remark in section.remarks)
  notes = ''.join(f'- \\* {_cell(method)}: {_cell(note)}\n' for method, note in section.notes)
  return f'{tables}\n{remarks}{notes}{bool(notes) * chr(10)}{_folded(section.made)}'


def _table(protocol: str, table: Table) -> str:
  rule = ''.join('--:|' if side == 'r' else '---|' for side in table.alignment)
  head, *body = [
    f'| {" | ".join(map(_cell, cells))} |\n' for cells in (table.columns, *table.lines)
  ]
  return f'**{_cell(protocol)}**: {_cell(table.caption)}.\n\n{head}|{rule}\n{"".join(body)}'


def _folded(made: Origins) -> str:
  """Returns what is to be opened first."""
  lines = '\n'.join(f'- {"".join(map(_part, line))}' for line in made.lines)
  return f'<details><summary>{made.summary}</summary>\n\n{lines}\n\n</details>\n'


def _part(content: str) -> str:
  return f'<code>{_cell(content)}</code>' if isinstance(content, Code) else _cell(content)


def _cell(content: str) -> str:
  """Returns a text that cannot end its cell or begin an element."""
  return re.sub(r'\s+', ' ', html.escape(content, quote=False)).replace('|', '\\|')
