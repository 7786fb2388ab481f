"""What several sections are built of."""

from collections.abc import Iterable, Sequence

from tlda.evaluation.metrics import mean_and_std
from tlda.report import text
from tlda.report.markup import Markup, element, join
from tlda.report.palette import run_color
from tlda.report.runs import Run


def section(title: str, *children: str, lead: str = '') -> Markup:
  """Returns a section under its title, with a sentence that says how it is to be read."""
  sentence = element('p', lead, class_='lead') if lead else Markup()
  return element('section', element('h2', title), sentence, *children)


def figure(content: str, title: str, remark: str = '') -> Markup:
  """Returns a figure with its title above it and a remark under it."""
  under = element('p', remark, class_='remark') if remark else Markup()
  return element('figure', element('figcaption', title), content, under)


def grid(items: Sequence[str], columns: int) -> Markup:
  """Lays items out side by side, in fewer columns where the page is narrow."""
  return element('div', *items, class_=f'grid columns-{columns}')


def table(head: Sequence[str], rows: Iterable[Sequence[str]], class_: str = '') -> Markup:
  """Returns a table that scrolls sideways where it is too wide; first cells head their rows."""
  header = element('tr', *(element('th', cell, scope='col') for cell in head))
  body = (
    element('tr', element('th', first, scope='row'), *(element('td', cell) for cell in cells))
    for first, *cells in rows
  )
  content = join(element('thead', header), element('tbody', *body))
  return element('div', element('table', content, class_=class_ or None), class_='scroll')


def number(values: Sequence[float] | None, class_: str = '') -> Markup:
  """Returns mean and deviation in places of their own, so that they line up in a column."""
  if values is None:
    return Markup('–')
  mean, std = mean_and_std(values)
  spread = Markup() if std is None else join(' ± ', text.percent(std))
  return element(
    'span', text.percent(mean), element('span', spread, class_='spread'), class_=class_ or None
  )


def swatch(color: str) -> Markup:
  """Returns a small square of a colour."""
  return element('span', class_='swatch', style=f'background:{color}')


def run_name(runs: Sequence[Run], place: int) -> Markup:
  """Returns a run's label, with its colour where runs are compared."""
  color = swatch(run_color(place)) if len(runs) > 1 else Markup()
  return element('span', color, runs[place].label, class_='run')


def run_legend(runs: Sequence[Run]) -> Markup:
  """Returns the legend of the runs' colours; of one run there is none."""
  names = (run_name(runs, place) for place in range(len(runs)))
  return element('p', *names, class_='legend') if len(runs) > 1 else Markup()
