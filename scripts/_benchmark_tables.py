"""Times whole tables against the same protocol in PyTorch, run after run, and draws the result."""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts import _benchmark_table, _workers
from scripts.benchmark_tables import TABLES, Table, arrays
from tlda.errors import UserError

THREADS = (1, 2)
_HEADER = """\
| Table | Trainings | One program a method, s | Lowest, highest | PyTorch, s | Lowest, highest \
| PyTorch / one program |
|---|--:|--:|--:|--:|--:|--:|
"""
_NOTES = """\
Seconds of all trainings of a table. *One program a method* is the whole command: command lines of \
all runs are read, data loaded and hashed, programs compiled, results written. *PyTorch* trains \
one run after another in one process, with the number of threads ({threads} were tried) that is \
faster; of each method it trains {samples} runs, from whose mean all others are reckoned, and \
neither its start nor the reading of data is counted. Both sides have the same data, network, \
losses, schedule and number of evaluations (one, at the end), and take turns.
"""


def measure(torch_python: str | None, rounds: int, seconds: float) -> dict[str, Any]:
  """Measures the tables.

  Args:
    torch_python: A Python that has PyTorch.
    rounds: How often each side has its turn.
    seconds: Not used: a turn is a whole table.

  Returns:
    The device, versions of both sides, and a row for each table.

  Raises:
    UserError: There is no PyTorch to compare with, data are missing, or a side fails.
  """
  del seconds
  if not torch_python:
    raise UserError('tables are compared with PyTorch: give --torch_python')
  python, *_ = _workers.torch(torch_python, '', ('torch', 'numpy'))
  cases = [_case(name, table, python, rounds) for name, table in TABLES.items()]
  about = cases[0]['tlda'][0]
  return {key: about[key] for key in ('device', 'versions')} | {'cases': cases}


def _case(name: str, table: Table, python: str, rounds: int) -> dict[str, Any]:
  """Returns what was measured of a table."""
  tlda, torch = [], []
  with tempfile.TemporaryDirectory() as folder:
    np.savez(f'{folder}/data.npz', **arrays(table))
    for number in range(rounds):
      print(f'{name}: round {number + 1} of {rounds}', flush=True)
      here = [sys.executable, '-m', 'scripts.benchmark_tables', name, f'{folder}/runs{number}']
      tlda.append(_answer(here))
      torch.append(_torch(table, python, folder))
  return {'table': name, 'trainings': _trainings(table), 'tlda': tlda, 'torch': torch}


def _torch(table: Table, python: str, folder: str) -> dict[str, Any]:
  """Returns what PyTorch's side needs, reckoned for the whole table, with the best of `THREADS`."""
  runs = _samples(table)
  said = []
  for threads in THREADS:
    spec = {**specification(table, runs), 'threads': threads}
    path = Path(folder) / 'spec.json'
    path.write_text(json.dumps(spec))
    command = [python, 'scripts/benchmark_tables_torch.py', f'{folder}/data.npz', str(path)]
    answer = _answer(command)
    said.append(answer | {'seconds': reckon(table, runs, answer['seconds'])})
  return min(said, key=lambda each: each['seconds'])


def specification(table: Table, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
  """Returns what PyTorch's side is told of some runs of a table."""
  shared = {key: table.shared[key] for key in ('steps', 'batch_size', 'momentum', 'eval_every')}
  named = [{'weight': 0.0, **run, 'seed': seed} for seed, run in enumerate(runs)]
  return {**shared, 'runs': named, 'hidden': table.hidden, 'activation': 'sigmoid', 'classes': 2}


def _samples(table: Table) -> list[Mapping[str, Any]]:
  """Returns the runs that PyTorch trains: of each method some, evenly spaced."""
  groups: dict[str, list[Mapping[str, Any]]] = {}
  for run in table.runs:
    groups.setdefault(run['method'], []).append(run)
  places = lambda own: np.linspace(0, len(own) - 1, table.samples).round().astype(int)
  return [own[place] for own in groups.values() for place in places(own)]


def reckon(table: Table, runs: Sequence[Mapping[str, Any]], seconds: Sequence[float]) -> float:
  """Returns the seconds of all trainings of a table, from those of some runs of each method."""
  total = 0.0
  for method in dict.fromkeys(run['method'] for run in runs):
    own = [each for run, each in zip(runs, seconds, strict=True) if run['method'] == method]
    count = sum(run['method'] == method for run in table.runs) * table.shared['seeds']
    total += count * statistics.mean(own)
  return total


def _trainings(table: Table) -> int:
  return len(table.runs) * table.shared['seeds']


def _answer(command: Sequence[str]) -> dict[str, Any]:
  """Runs a command; returns the last line that it says, which is JSON.

  Raises:
    UserError: It failed.
  """
  env = _workers.environment()
  done = subprocess.run(command, cwd=_workers.ROOT, stdout=subprocess.PIPE, text=True, env=env)
  if done.returncode:
    raise UserError(f'{" ".join(command[:4])} ended with exit code {done.returncode}')
  return json.loads(done.stdout.splitlines()[-1])


def markdown(result: Mapping[str, Any]) -> str:
  """Returns the table of a result, and how it was made."""
  cases = result['cases']
  said = lambda name, table: f'- `{name}`: {table.about}, {table.shared["steps"]} steps'
  listed = [said(name, table) for name, table in TABLES.items()]
  torch = {'torch': cases[0]['torch'][0]['torch']}
  samples = ' and '.join(f'{table.samples} ({name})' for name, table in TABLES.items())
  made = _benchmark_table.made({**result, 'seconds_in_a_round': 0}, [result['versions'], torch])
  lines = [
    '**Tables**: many configurations in one compiled program, and one after another in PyTorch.\n',
    _HEADER + ''.join(map(_line, cases)),
    '\n'.join(listed) + '\n',
    _NOTES.format(threads=' and '.join(map(str, THREADS)), samples=samples),
    made.replace(' of 0 s a case', ''),
  ]
  return '\n'.join(lines)


def _line(case: Mapping[str, Any]) -> str:
  own, other = ([each['seconds'] for each in case[side]] for side in ('tlda', 'torch'))
  ratios = [b / a for a, b in zip(own, other, strict=True)]
  between = lambda x: f'{min(x):.1f}, {max(x):.1f}'
  cells = (
    case['table'],
    str(case['trainings']),
    f'{statistics.median(own):.1f}',
    between(own),
    f'{statistics.median(other):.1f}',
    between(other),
    f'{statistics.median(ratios):.1f}',
  )
  return f'| {" | ".join(cells)} |\n'
