"""Tables of results: `experiments/results/NAME.json`, what is drawn from it, and the README.

A row of the JSON file holds `protocol`, `method`, `source`, `target`, `seeds`, `selection`,
`target_test_mean`, `target_test_std`, `published`, `command`, `commit` and `data`; `target_test`,
the number of each seed, which old rows lack; perhaps a `note`, a `measure` where that is not
accuracy, and the `protocol_sha256` of a registered protocol with its data. `row` makes one of a
run's result. Beside it lie `NAME.md`, `NAME.csv`, `NAME.tex`, and `NAME.svg` where there are
published numbers. Nobody edits these: `is_current` tells whether somebody did.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tlda.errors import UserError, nearest
from tlda.evaluation.metrics import mean_and_std
from tlda.report import forest, layouts
from tlda.report.formats import csv, latex, markdown
from tlda.report.layouts import Row

_KEYS = (
  'protocol', 'method', 'source', 'target', 'seeds', 'selection', 'target_test_mean',
  'target_test_std', 'published', 'command', 'commit', 'data',
)  # fmt: skip


def row(
  result: Mapping[str, Any],
  *,
  command: str,
  commit: str,
  selection: str = 'last',
  note: str | None = None,
) -> dict[str, Any]:
  """Returns the row of a run.

  Args:
    result: The run's `result.json`.
    command: What was typed to make it.
    commit: The commit that it was made with.
    selection: 'last', or a rule in the result's `selected`.
    note: What is to be said of this method, such as why it falls behind.

  Raises:
    UserError: The result has no such selection.
  """
  # Where classes are unknown, accuracy says little, and rules choose by it; a stream has errors.
  measure = next(name for name in layouts.MEASURES if name in result)
  chosen = {'last': result[measure]['target_test']}
  if measure == 'accuracy':
    chosen = {**(result.get('selected') or {}), **chosen}
  if selection not in chosen:
    raise UserError(nearest('selection', selection, chosen))
  mean, std = mean_and_std(chosen[selection])
  same = ('protocol', 'method', 'source', 'target', 'seeds', 'published', 'data')
  measured = {'target_test_mean': mean, 'target_test_std': std}
  made = {'selection': selection, 'command': command, 'commit': commit}
  whole = {key: result.get(key) for key in same} | measured | made
  about: dict[str, Any] = {'measure': measure} if measure != 'accuracy' else {}
  about['target_test'] = list(chosen[selection])
  if fixed := (result.get('config') or {}).get('protocol_sha256'):
    about['protocol_sha256'] = fixed
  return noted({key: whole[key] for key in _KEYS} | about, note)


def noted(row: Row, note: str | None) -> dict[str, Any]:
  """Returns a row with this note, or with none."""
  rest = {key: value for key, value in row.items() if key != 'note'}
  return rest | ({'note': note} if note else {})


def read(path: Path) -> list[Row]:
  """Returns the rows of a `NAME.json`.

  Raises:
    UserError: The file cannot be read, a row lacks a key, or its mean is not that of its seeds.
  """
  try:
    rows = json.loads(_text(path))
  except ValueError as error:
    raise UserError(f'{path} is broken: {error}') from error
  if not isinstance(rows, list):
    raise UserError(f'{path} is broken: it holds no list of rows')
  for number, entry in enumerate(rows, start=1):
    if missing := [key for key in _KEYS if key not in entry]:
      raise UserError(f'{path} is broken: row {number} lacks {", ".join(missing)}')
    _check_mean(path, number, entry)
  return rows


def write(path: Path, rows: Sequence[Row]) -> None:
  """Writes `NAME.json`, a row a line, and beside it what is drawn from it.

  Raises:
    UserError: A mean is not that of its seeds, or a printed one not that of the printed numbers.
      Nothing is written then.
  """
  for number, entry in enumerate(rows, start=1):
    _check_mean(path, number, entry)
  drawn = _drawn(path, rows)
  path.parent.mkdir(parents=True, exist_ok=True)
  lines = ',\n'.join(json.dumps(row, ensure_ascii=False) for row in rows)
  path.write_text(f'[\n{lines}\n]\n', encoding='utf-8')
  for place, content in drawn.items():
    if content:
      place.write_text(content, encoding='utf-8')
    else:
      place.unlink(missing_ok=True)


def _drawn(path: Path, rows: Sequence[Row]) -> dict[Path, str]:
  """Returns what is to lie beside the rows: a text for each file, empty where there is none."""
  plot = forest.draw(rows)
  figure = path.with_suffix('.svg').name if plot else ''
  texts = {
    '.md': _shown(rows, figure),
    '.csv': csv.draw(rows),
    '.tex': latex.draw(rows),
    '.svg': plot,
  }
  return {path.with_suffix(suffix): content for suffix, content in texts.items()}


def _shown(rows: Sequence[Row], figure: str) -> str:
  """Returns the Markdown, with its figure, if there is one."""
  image = f'\n![Measured and published numbers]({figure})\n' if figure else ''
  return markdown.draw(rows) + image


def update_readme(readme_path: Path, path: Path) -> None:
  """Puts a table between `<!-- results:NAME -->` and `<!-- /results:NAME -->`.

  Args:
    readme_path: The README.
    path: `NAME.json`, in a folder beside the README or below.

  Raises:
    UserError: The README does not hold both marks once, in this order.
  """
  before, _, after = _split(readme_path, path.stem)
  content = _in_readme(readme_path, path)
  readme_path.write_text(f'{before}\n{content.strip()}\n{after}', encoding='utf-8')


def _in_readme(readme_path: Path, path: Path) -> str:
  """Returns the Markdown as a README shows it, whose figures lie elsewhere."""
  rows, figure = read(path), path.with_suffix('.svg').relative_to(readme_path.parent)
  return _shown(rows, figure.as_posix() if forest.draw(rows) else '')


def is_shown(readme_path: Path, name: str) -> bool:
  """Tells whether a README has the marks of a table (else it may link to it)."""
  return f'<!-- results:{name} -->' in _text(readme_path)


def is_current(path: Path, readme_path: Path | None = None) -> bool:
  """Tells whether everything that is drawn from the JSON file is on disk as it yields it.

  Args:
    path: `NAME.json`; the other files lie beside it.
    readme_path: A README that shows the table as well.
  """
  drawn = _drawn(path, read(path))
  current = all(
    (_text(place) if place.exists() else '') == content for place, content in drawn.items()
  )
  if readme_path is None:
    return current
  shown = _split(readme_path, path.stem)[1]
  return current and shown.strip() == _in_readme(readme_path, path).strip()


def _check_mean(path: Path, number: int, entry: Row) -> None:
  """Raises UserError unless a row's numbers are those of its seeds, where it knows these."""
  values = entry.get('target_test')
  if values is None:
    return
  if len(values) != len(entry['seeds']):
    raise UserError(f'{path} is broken: row {number} has {len(values)} numbers for its seeds')
  found = mean_and_std(values)
  for said, own in zip((entry['target_test_mean'], entry['target_test_std']), found, strict=True):
    if (said is None) != (own is None) or (own is not None and not math.isclose(said, own)):
      raise UserError(f'{path} is broken: row {number} says {said} where its seeds have {own}')


def _split(readme_path: Path, name: str) -> tuple[str, str, str]:
  """Returns a README's text up to the opening mark, that between the marks, and the rest."""
  opening, closing = f'<!-- results:{name} -->', f'<!-- /results:{name} -->'
  content = _text(readme_path)
  start, end = content.find(opening) + len(opening), content.find(closing)
  if content.count(opening) != 1 or content.count(closing) != 1 or end < start:
    raise UserError(f'{readme_path} must hold {opening} and, after it, {closing}, each once')
  return content[:start], content[start:end], content[end:]


def _text(path: Path) -> str:
  """Returns the text of a file."""
  try:
    return path.read_text(encoding='utf-8')
  except OSError as error:
    raise UserError(f'{path} cannot be read ({error.strerror})') from error
