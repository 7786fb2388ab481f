"""Makes a table of results: runs what is missing, writes `experiments/results/` and the README.

Markdown, CSV and LaTeX have the same numbers; where some are published there is a forest plot too.

  python scripts/reproduce.py digits               every row
  python scripts/reproduce.py digits --only=dann   the rows of one method; the others stay
  python scripts/reproduce.py digits --draw        no run: draws the table from its JSON again

A table is an experiment's `TABLE`: the flags of each of its runs, in order. Its `SELECTIONS` are
the rules by which a number is taken from a run (else the last step), its `NOTES` what is to be
said of a row, its `named` what a row is called if not by its method, its `launch` what makes a run
of flags where that is more than one, its `launch_all` what makes all runs of a method together, its
`results` what rows a run makes where that is more than one, its `PREPARE` the flags of
`experiments.extract_features` for what its runs read. Runs lie in runs/tables/NAME/: a run that was
stopped goes on (those of one program begin anew), a finished one is not run again.
"""

import argparse
import importlib
import itertools
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import jax  # noqa: E402

from experiments import common, extract_features, outputs  # noqa: E402
from experiments.rows import folder  # noqa: E402
from tlda.errors import UserError, nearest  # noqa: E402
from tlda.report import files, tables  # noqa: E402

TABLES = (
  'amazon',
  'digits',
  'distill',
  'domainnet',
  'fine_tune',
  'generalization',
  'gradual',
  'label_sets',
  'methods_amazon',
  'methods_digits',
  'office31',
  'office_caltech',
  'office_caltech_images',
  'office_caltech_surf',
  'office_home',
  'several_sources',
  'source_free',
  'test_time',
  'text',
  'visda2017',
)


def rows_of(name: str, only: str | None) -> list[list[str]]:
  """Returns the arguments of each run of a table.

  Args:
    name: Of the table, and of its experiment.
    only: A method, or what rows are called in the table; None takes all rows.

  Raises:
    UserError: There is no such table, or no such row.
  """
  if name not in TABLES:
    raise UserError(nearest('table', name, TABLES))
  experiment = importlib.import_module(f'experiments.{name}')
  rows = [(row, _names(experiment, row)) for row in map(shlex.split, experiment.TABLE)]
  if only is not None and only not in (known := {own for _, names in rows for own in names}):
    raise UserError(nearest('row of this table', only, known))
  return [row for row, names in rows if only is None or only in names]


def _names(experiment: Any, arguments: Sequence[str]) -> set[str]:
  """Returns what a row answers to: its method, and what the table calls it."""
  own = dict(word.removeprefix('--').split('=', 1) for word in arguments)
  defaults = experiment.EXPERIMENT.defaults if hasattr(experiment, 'EXPERIMENT') else {}
  parsed = {**common.DEFAULTS, **defaults, **own}
  return {parsed['method'], named(experiment, parsed)}


def prepare(commands: Sequence[str]) -> None:
  """Extracts the features that a table reads, each file once; `commands` are the flags of each."""
  for command in commands:
    words = shlex.split(command)
    out = Path(next(word.partition('=')[2] for word in words if word.startswith('--out=')))
    if not out.exists():
      out.parent.mkdir(parents=True, exist_ok=True)
      print(f'python -m experiments.extract_features {command}', flush=True)
      extract_features.extract(['extract_features', *words])


def run(name: str, arguments: Sequence[str]) -> dict[str, Any]:
  """Trains one row, without a page; returns its result."""
  words = _words(name, arguments)
  experiment = importlib.import_module(f'experiments.{name}')
  launch = getattr(experiment, 'launch', lambda words: common.launch(experiment.EXPERIMENT, words))
  launch(words)
  jax.clear_caches()  # The programs of a run are of no use to the next.
  return files.read_object(Path(folder(name, arguments)) / 'result.json')


def results(name: str, chosen: Sequence[Sequence[str]]) -> Iterator[dict[str, Any]]:
  """Trains rows, and yields the result of each.

  Raises:
    UserError: Whatever goes wrong; of runs that are trained together, once the others are done.
  """
  launch_all = getattr(importlib.import_module(f'experiments.{name}'), 'launch_all', None)
  if launch_all is None:
    yield from (run(name, arguments) for arguments in chosen)
    return
  method = lambda arguments: [word for word in arguments if word.startswith('--method=')]
  for _, group in itertools.groupby(chosen, method):
    found = launch_all([_words(name, arguments) for arguments in group])
    jax.clear_caches()
    yield from (each for each in found if not isinstance(each, UserError))
    for each in found:
      if isinstance(each, UserError):
        raise each


def _words(name: str, arguments: Sequence[str]) -> list[str]:
  """Returns the command line of a row, program name first, and says it."""
  words = [f'experiments.{name}', *arguments, _at(name, arguments), '--report=false']
  print(f'python -m {shlex.join(words)}', flush=True)
  return words


def _at(name: str, arguments: Sequence[str]) -> str:
  """Returns the flag that says where a run lies: by it the command of a row is known again."""
  return f'--workdir={folder(name, arguments)}'


def reproduce(name: str, only: str | None, *, draw: bool) -> Path:
  """Makes a table; returns the path of its Markdown."""
  path = ROOT / 'experiments' / 'results' / f'{name}.json'
  chosen = rows_of(name, only)
  old = list(tables.read(path)) if path.exists() else []
  if draw and not old:
    raise UserError(f'{path} has no rows to draw: make them without --draw')
  if not draw:
    outputs.check(path)
  key = lambda row: (row['protocol'], row['method'], *row['source'], row['target'])
  experiment = importlib.import_module(f'experiments.{name}')
  if not draw:
    prepare(getattr(experiment, 'PREPARE', ()))
  order, rows = _order(name), old
  for result in () if draw else results(name, chosen):
    made = _rows(experiment, result)
    kept = [row for row in rows if key(row) not in {key(own) for own in made}]
    rows = sorted([*kept, *made], key=order)
    _write(tables.write, path, rows)
  if draw:
    notes = getattr(experiment, 'NOTES', {})
    noted = [tables.noted(row, notes.get(row['method'])) for row in old]
    _write(tables.write, path, sorted(noted, key=order))
  if tables.is_shown(ROOT / 'README.md', name):
    _write(tables.update_readme, ROOT / 'README.md', path)
  return path.with_suffix('.md')


def _write(write: Callable[..., object], path: Path, what: object) -> None:
  """Calls what writes a file."""
  try:
    write(path, what)
  except OSError as error:
    raise UserError(f'the table cannot be written: {error}') from error


def named(experiment: Any, flags: Mapping[str, Any]) -> str:
  """Returns what a row is called: its method, or what the experiment's `named` makes of its flags.

  Args:
    experiment: The module.
    flags: Of the run, with all defaults.
  """
  return getattr(experiment, 'named', lambda flags: flags['method'])(flags)


def _rows(experiment: Any, result: Mapping[str, Any]) -> list[dict[str, Any]]:
  """Returns the rows that a run makes: of each of its results, one by each rule.

  Args:
    experiment: The module.
    result: What the run's `result.json` holds.
  """
  config = result['config']
  made = {'command': config['command'], 'commit': config['commit'] or 'unknown'}
  whole = lambda result: [{**result, 'method': named(experiment, config['flags'])}]
  notes = getattr(experiment, 'NOTES', {})
  return [
    tables.row(each, **made, selection=rule, note=notes.get(each['method']))
    for each in getattr(experiment, 'results', whole)(result)
    for rule in getattr(experiment, 'SELECTIONS', ('last',))
  ]


def _order(name: str) -> Callable[[Mapping[str, Any]], int]:
  """Returns the sort key that puts rows as the experiment's table lists their runs."""
  places = {_at(name, arguments): place for place, arguments in enumerate(rows_of(name, None))}

  def key(row: Mapping[str, Any]) -> int:
    own = [places[word] for word in shlex.split(row['command']) if word in places]
    return min(own, default=len(places))

  return key


def main() -> None:
  """Reads the command line."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('table', help=f'one of {", ".join(TABLES)}')
  parser.add_argument('--only', help='the rows of one method, or of one name in the table')
  parser.add_argument('--draw', action='store_true', help='draw the table again, and run nothing')
  given = parser.parse_args()
  os.chdir(ROOT)  # Runs lie below it, and their commands are said from there.
  make = lambda: print(f'table: {reproduce(given.table, given.only, draw=given.draw)}')
  sys.exit(common.guarded(make))


if __name__ == '__main__':
  main()
