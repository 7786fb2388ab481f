"""Tables of results: `experiments/results/NAME.json`, the Markdown drawn from it, and the README.

A row of the JSON file holds `protocol`, `method`, `source`, `target`, `seeds`, `selection`,
`target_test_mean`, `target_test_std`, `published`, `command`, `commit` and `data`, perhaps a
`note`, a `measure` where that is not accuracy, and the `protocol_sha256` of a registered protocol
with its data; `row` makes one of a run's result. Nobody edits the Markdown: `is_current` tells
whether somebody did.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tlda.errors import UserError, nearest
from tlda.evaluation.metrics import mean_and_std
from tlda.report import layouts
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
  about = {'measure': measure} if measure != 'accuracy' else {}
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
    UserError: The file cannot be read, or a row lacks a key.
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
  return rows


def write(path: Path, rows: Sequence[Row]) -> None:
  """Writes `NAME.json`, a row a line, and beside it the `NAME.md` drawn from it."""
  path.parent.mkdir(parents=True, exist_ok=True)
  lines = ',\n'.join(json.dumps(row, ensure_ascii=False) for row in rows)
  path.write_text(f'[\n{lines}\n]\n', encoding='utf-8')
  path.with_suffix('.md').write_text(markdown(rows), encoding='utf-8')


def markdown(rows: Sequence[Row]) -> str:
  """Returns a table for each protocol, and under it how each of its numbers was made."""
  protocols = dict.fromkeys(entry['protocol'] for entry in rows)
  tables = (
    layouts.draw(protocol, [entry for entry in rows if entry['protocol'] == protocol])
    for protocol in protocols
  )
  return '\n'.join(tables)


def update_readme(readme_path: Path, name: str, markdown: str) -> None:
  """Puts a table between `<!-- results:NAME -->` and `<!-- /results:NAME -->`.

  Raises:
    UserError: The README does not hold both marks once, in this order.
  """
  before, _, after = _split(readme_path, name)
  readme_path.write_text(f'{before}\n{markdown.strip()}\n{after}', encoding='utf-8')


def is_shown(readme_path: Path, name: str) -> bool:
  """Tells whether a README has the marks of a table (else it may link to it)."""
  return f'<!-- results:{name} -->' in _text(readme_path)


def is_current(path: Path, readme_path: Path | None = None) -> bool:
  """Tells whether the Markdown on disk is what the JSON file yields.

  Args:
    path: `NAME.json`; `NAME.md` lies beside it.
    readme_path: A README that shows the table as well.
  """
  expected, drawn = markdown(read(path)), path.with_suffix('.md')
  shown = [drawn.read_text(encoding='utf-8') if drawn.exists() else '']
  if readme_path is not None:
    shown.append(_split(readme_path, path.stem)[1])
  return all(content.strip() == expected.strip() for content in shown)


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
