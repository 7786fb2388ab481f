"""The README's code is run as it stands there, and its tables are what the results say."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import rows
from scripts import benchmark, reproduce
from tlda import data, methods, shallow, transfer
from tlda.report import tables

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / 'README.md').read_text()
FILES = dict(re.findall(r'<!-- file: (\S+) -->\n```python\n(.*?)```', README, re.DOTALL))
COMMANDS = re.findall(r'<!-- run -->\n```bash\n(.*?)```', README, re.DOTALL)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
  """A folder with every file that the README shows whole."""
  base = tmp_path_factory.mktemp('readme')
  for name, code in FILES.items():
    (base / name).parent.mkdir(exist_ok=True)
    (base / name).write_text(code)
  return base


def call(folder: Path, command: str) -> str:
  path = f'{Path(sys.executable).parent}:{os.environ["PATH"]}'
  environment = {**os.environ, 'PYTHONPATH': f'{folder}:{ROOT}', 'PATH': path}
  done = subprocess.run(
    ['bash', '-euc', command], cwd=folder, env=environment, capture_output=True, text=True
  )
  assert done.returncode == 0, done.stderr
  return done.stdout


def test_the_example_runs(folder: Path) -> None:
  said = call(folder, 'python parts.py')
  assert 2 < float(said.removeprefix('loss ')) < 5  # About log 10 + log 2 before training.


@pytest.mark.parametrize('command', COMMANDS, ids=lambda text: text.split()[2])
def test_commands_run(folder: Path, command: str) -> None:
  assert 'target test accuracy' in call(folder, command)


def test_files_of_every_kind_are_shown() -> None:
  shown = {'parts.py', 'my_lab/mean_gap.py', 'my_lab/ideas.py', 'my_lab/small_digits.py'}
  assert shown <= FILES.keys()
  assert len(COMMANDS) == 3


def test_what_is_named_is_there() -> None:
  for name in re.findall(r'`(scripts/[\w.]+)`?', README):
    assert (ROOT / name).exists(), name
  for name in re.findall(r'--method=(\w+)[ `]', README):
    assert name in methods.names() + shallow.names()
  for name in re.findall(r'--(?:source|target)=(\w+)[ `\n]', README):
    assert name in data.names()


RESULTS = {name: ROOT / 'experiments' / 'results' / f'{name}.json' for name in reproduce.TABLES}


# One that has no row yet has no file.
@pytest.mark.parametrize('name', [name for name, path in RESULTS.items() if path.exists()])
def test_tables_are_drawn_from_their_results(name: str) -> None:
  path, readme = RESULTS[name], ROOT / 'README.md'
  assert tables.is_current(path, readme if tables.is_shown(readme, name) else None)


@pytest.mark.parametrize('name', [name for name, path in RESULTS.items() if path.exists()])
def test_tables_have_no_row_of_a_run_that_they_no_longer_ask_for(name: str) -> None:
  runs = [rows.folder(name, arguments) for arguments in reproduce.rows_of(name, None)]
  asked = {f'--workdir={run}' for run in runs}
  commands = [row['command'] for row in tables.read(RESULTS[name])]
  assert [command for command in commands if not asked & set(shlex.split(command))] == []


@pytest.mark.parametrize('name', benchmark.BENCHMARKS)
def test_benchmarks_are_drawn_from_their_results(name: str) -> None:
  path = ROOT / 'experiments' / 'results' / f'benchmark_{name}.json'
  drawn = benchmark.BENCHMARKS[name].draw(json.loads(path.read_text()))
  assert path.with_suffix('.md').read_text() == drawn


def test_every_file_among_the_results_is_drawn_by_a_script() -> None:
  """What is drawn is compared above, and that of rules in tests/report/test_rules.py."""
  names = {*reproduce.TABLES, *(f'benchmark_{name}' for name in benchmark.BENCHMARKS), 'rules'}
  files = list((ROOT / 'experiments' / 'results').iterdir())
  assert {path.stem for path in files} <= names
  assert {path.suffix for path in files} <= {'.json', '.md', '.csv', '.tex', '.svg'}
  assert all(path.with_suffix('.json').exists() for path in files)


def test_every_method_is_listed() -> None:
  section = README.partition('## Methods')[2].partition('## ')[0]
  listed = re.findall(r'`(\w+)`', section.partition('They compose')[0])
  assert sorted(set(listed) & set(methods.names())) == methods.names()


def test_every_shallow_baseline_is_listed() -> None:
  section = README.partition('## Shallow baselines')[2].partition('\n## ')[0]
  listed = re.findall(r'`(\w+)`', section)
  assert sorted(set(listed) & set(shallow.names())) == shallow.names()


def test_every_strategy_is_listed() -> None:
  section = README.partition('## Transfer')[2].partition('\n## ')[0]
  listed = re.findall(r'`(\w+)`', section)
  assert sorted(set(listed) & set(transfer.names())) == transfer.names()


def test_experiments_that_are_named_are_there() -> None:
  named = set(re.findall(r'python -m experiments\.(\w+)', README))
  assert {'fine_tune', 'predict', 'distill', 'ensemble', 'text'} <= named
  assert all((ROOT / 'experiments' / f'{name}.py').exists() for name in named)
