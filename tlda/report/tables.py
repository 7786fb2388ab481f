"""Tables of results: `experiments/results/NAME.json`, the Markdown drawn from it, and the README.

A row of the JSON file holds `protocol`, `method`, `source`, `target`, `seeds`, `selection`,
`target_test_mean`, `target_test_std`, `published`, `command`, `commit` and `data`; `row` makes one
of a run's result. Nobody edits the Markdown: `is_current` tells whether somebody did.
"""

import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tlda.errors import UserError, nearest
from tlda.evaluation.metrics import mean_and_std
from tlda.report import text

Row = Mapping[str, Any]

_KEYS = (
  'protocol', 'method', 'source', 'target', 'seeds', 'selection', 'target_test_mean',
  'target_test_std', 'published', 'command', 'commit', 'data',
)  # fmt: skip
_HEAD = """\
| Source → target | Method | Target test | Published | Difference | Seeds | Selection |
|---|---|--:|--:|--:|--:|---|
"""


def row(
  result: Mapping[str, Any], *, command: str, commit: str, selection: str = 'last'
) -> dict[str, Any]:
  """Returns the row of a run.

  Args:
    result: The run's `result.json`.
    command: What was typed to make it.
    commit: The commit that it was made with.
    selection: 'last', or a rule in the result's `selected`.

  Raises:
    UserError: The result has no such selection.
  """
  chosen = {**(result.get('selected') or {}), 'last': result['accuracy']['target_test']}
  if selection not in chosen:
    raise UserError(nearest('selection', selection, chosen))
  mean, std = mean_and_std(chosen[selection])
  same = ('protocol', 'method', 'source', 'target', 'seeds', 'published', 'data')
  measured = {'target_test_mean': mean, 'target_test_std': std}
  made = {'selection': selection, 'command': command, 'commit': commit}
  whole = {key: result.get(key) for key in same} | measured | made
  return {key: whole[key] for key in _KEYS}


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
  """Writes `NAME.json` and, beside it, the `NAME.md` drawn from it."""
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + '\n', encoding='utf-8')
  path.with_suffix('.md').write_text(markdown(rows), encoding='utf-8')


def markdown(rows: Sequence[Row]) -> str:
  """Returns a table for each protocol, and under it how each of its numbers was made."""
  protocols = dict.fromkeys(entry['protocol'] for entry in rows)
  tables = (
    _table(protocol, [entry for entry in rows if entry['protocol'] == protocol])
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


def _table(protocol: str, rows: Sequence[Row]) -> str:
  """Returns the table of one protocol."""
  lines = ''.join(f'| {" | ".join(map(_cell, _cells(entry)))} |\n' for entry in rows)
  return (
    f'**{_cell(protocol)}**: accuracy in percent on the target test examples, mean ± sample '
    f'standard deviation over seeds.\n\n{_HEAD}{lines}\n{_provenance(rows)}'
  )


def _cells(entry: Row) -> list[str]:
  """Returns the cells of a row."""
  mean, std, published = (
    entry[key] for key in ('target_test_mean', 'target_test_std', 'published')
  )
  return [
    text.arrow(entry['source'], entry['target']),
    entry['method'],
    text.percent(mean) + ('' if std is None else f' ± {text.percent(std)}'),
    text.percent(published['value']) if published else '–',
    text.difference(mean - published['value']) if published else '–',
    str(len(entry['seeds'])),
    'oracle (uses target labels)' if entry['selection'] == 'oracle' else entry['selection'],
  ]


def _cell(content: str) -> str:
  """Returns a text that cannot end its cell or begin an element."""
  return re.sub(r'\s+', ' ', html.escape(content, quote=False)).replace('|', '\\|')


def _provenance(rows: Sequence[Row]) -> str:
  """Returns what it takes to make the table again, folded away."""
  made = [
    f'- {_cell(entry["method"])}, {_cell(text.arrow(entry["source"], entry["target"]))}: '
    f'{_code(entry["command"])} at {_code(entry["commit"][:12])}'
    for entry in rows
  ]
  data = {name: facts for entry in rows for name, facts in (entry['data'] or {}).items()}
  hashes = [f'{_cell(name)} {_code(_short(facts["sha256"]))}' for name, facts in data.items()]
  references = dict.fromkeys(
    entry['published']['reference'] for entry in rows if entry['published']
  )
  lines = made + [f'- sha256: {", ".join(hashes)}'] * bool(hashes)
  lines += [f'- Published: {_cell("; ".join(references))}'] * bool(references)
  listed = '\n'.join(lines)
  return f'<details><summary>How each number was made</summary>\n\n{listed}\n\n</details>\n'


def _code(content: str) -> str:
  """Returns a text set as code, whatever it holds."""
  return f'<code>{_cell(content)}</code>'


def _short(value: str | Mapping[str, str]) -> str:
  """Returns the beginning of a hash, or of the hash of each split."""
  if isinstance(value, Mapping):
    return ', '.join(f'{split} {part[:12]}' for split, part in value.items())
  return value[:12]
