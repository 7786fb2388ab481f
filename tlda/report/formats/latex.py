"""Tables of results as LaTeX, for papers: floats with booktabs, and how they were made above."""

import re
from collections.abc import Sequence

from tlda.report import layouts
from tlda.report.layouts import Row, Section, Table

_HEAD = '% Written by scripts/reproduce.py. The preamble needs \\usepackage{booktabs,graphicx}.\n'
_BREAK = r' \\ '
# Twelve pairs of domains are wider than a page: what is wider than a line is shrunk to it.
_WIDTH = r'\ifdim\width>\linewidth\linewidth\else\width\fi'
_SIGNS = {
  **{sign: f'\\{sign}' for sign in '&%$#_{}'},
  '\\': r'\textbackslash{}',
  '~': r'\textasciitilde{}',
  '^': r'\textasciicircum{}',
  '<': r'\textless{}',
  '>': r'\textgreater{}',
  '|': r'\textbar{}',
  '[': '{[}',  # Behind a line's end it would begin an argument.
  '±': r'$\pm$',
  '→': r'$\to$',
  '−': r'$-$',
  '–': '--',
}


def draw(rows: Sequence[Row]) -> str:
  """Returns a float for each table; what made its numbers stands above it in comments.

  Args:
    rows: As `tables.row` makes them.

  Raises:
    UserError: A printed mean is not that of the printed numbers.
  """
  return '\n'.join([_HEAD, *map(_section, layouts.sections(rows))])


def _section(section: Section) -> str:
  made = [section.made.summary, *(''.join(line) for line in section.made.lines)]
  comments = ''.join(f'% {_line(line)}\n' for line in made)
  remarks = [f'{remark.rstrip(".")}.' for remark in section.remarks]
  notes = [f'*{method}: {note.rstrip(".")}.' for method, note in section.notes]
  tables = (_float(section.protocol, table, remarks, notes) for table in section.tables)
  return comments + '\n'.join(tables)


def _float(protocol: str, table: Table, remarks: Sequence[str], notes: Sequence[str]) -> str:
  """Returns one table; what is said of all of them stands in each caption, and notes below."""
  lines = [f'    {" & ".join(map(escape, cells))} \\\\\n' for cells in table.lines]
  caption = ' '.join(map(escape, [f'{protocol}: {table.caption}.', *remarks]))
  below = f'\n  \\raggedright\\footnotesize {" ".join(map(escape, notes))}\n' if notes else ''
  return (
    '\\begin{table}\n'
    '  \\centering\n'
    f'  \\caption{{{caption}}}\n'
    f'  \\resizebox{{{_WIDTH}}}{{!}}{{%\n'
    f'  \\begin{{tabular}}{{{table.alignment}}}\n'
    f'    \\toprule\n    {" & ".join(map(_head, table.columns))} \\\\\n'
    f'    \\midrule\n{"".join(lines)}    \\bottomrule\n'
    f'  \\end{{tabular}}}}\n{below}'
    '\\end{table}\n'
  )


def _head(content: str) -> str:
  """Returns the head of a column, in lines: 'books', '→ dvd'."""
  lines = [escape(line) for line in re.split(r', | (?=[→(])', content)]
  return lines[0] if len(lines) == 1 else rf'\shortstack[r]{{{_BREAK.join(lines)}}}'


def escape(content: str) -> str:
  """Returns a text that LaTeX sets as it is."""
  return ''.join(_SIGNS.get(sign, sign) for sign in _line(content))


def _line(content: str) -> str:
  """Returns a text as one line, which no comment or cell ends within."""
  return re.sub(r'\s+', ' ', content)
