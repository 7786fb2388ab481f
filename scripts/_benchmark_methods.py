"""Times the training step of each method, in units of source_only's, and draws the table."""

import statistics
import sys
from collections.abc import Mapping
from typing import Any

from scripts import _benchmark_table, _workers
from scripts._workers import Process, Worker
from scripts.benchmark_methods import EXAMPLES
from tlda import methods

BASE = 'source_only'
_SAMPLE = 0.1  # Seconds that are timed at once.
_HEADER = """\
| Method | Network | ms a step, median | Fastest | Of source_only's, median | Lowest, highest \
| Of the fastest | First call, s |
|---|---|--:|--:|--:|--:|--:|--:|
"""
_NOTES = f"""\
Each turn of a method follows or precedes one of source_only on the same network, and ratios are \
taken of the two. source_only itself shows how far noise goes. The *first call* compiles the \
step. Defaults of each method; {EXAMPLES:,} random images of each domain. Passes over a whole \
domain, which some methods make now and then, are not in it, nor is the training of a first \
stage. OpenBLAS, by which JAX decomposes matrices, has one thread (`OPENBLAS_NUM_THREADS=1`).
"""


def measure(torch_python: str | None, rounds: int, seconds: float) -> dict[str, Any]:
  """Measures the step of all methods.

  Args:
    torch_python: Not used: methods are compared with each other.
    rounds: How often each method has its turn.
    seconds: How long a turn lasts.

  Returns:
    The device, versions, and a row for each method.
  """
  del torch_python
  with Process('methods', (sys.executable, '-m', 'scripts.benchmark_methods')) as process:
    pairs = {}
    for name in sorted(methods.names(methods.PLAIN), key=lambda name: name != BASE):
      print(name, flush=True)
      worker = Worker(process, name)
      base = Worker(process, f'{BASE}:{worker.ready["about"]["backbone"]}')
      pairs[name] = [worker, base]
      for worker in pairs[name]:
        worker.tune(seconds, sample=_SAMPLE)
    _workers.take_turns(list(pairs.values()), rounds)
  about = pairs[BASE][0].ready['about']
  return {
    'device': about['device'],
    'versions': about['versions'],
    'cases': [
      {
        'method': name,
        'network': worker.ready['about']['backbone'],
        'parameters': worker.ready['about']['parameters'],
        **worker.row(),
        'base': base.row(),
      }
      for name, (worker, base) in pairs.items()
    ],
  }


def markdown(result: Mapping[str, Any]) -> str:
  """Returns the table of a result, and how it was made."""
  rows = sorted(result['cases'], key=lambda row: _benchmark_table.ratio(row, row['base'])[0])
  lines = [
    '**Methods**: a training step, 64 source and 64 target images of 28x28x1.\n',
    _HEADER + ''.join(map(_line, rows)),
    _NOTES,
    _benchmark_table.made(result, [result['versions']]),
  ]
  return '\n'.join(lines)


def _line(row: Mapping[str, Any]) -> str:
  median, low, high, fastest, _ = _benchmark_table.ratio(row, row['base'])
  cells = (
    row['method'],
    row['network'],
    f'{1e3 * statistics.median(row["median_of_each_round"]):.1f}',
    f'{1e3 * row["minimum"]:.1f}',
    f'{median:.2f}',
    f'{low:.2f}, {high:.2f}',
    f'{fastest:.2f}',
    f'{row["first_call_seconds"]:.1f}',
  )
  return f'| {" | ".join(cells)} |\n'
