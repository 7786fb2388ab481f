"""Times the training step of transfer strategies, counts what it costs, and draws the table."""

import contextlib
import statistics
import sys
from collections.abc import Mapping
from typing import Any

from scripts import _benchmark_table, _workers
from scripts._workers import Process, Worker
from scripts.benchmark_transfer import BATCH, SIDE

BASE = 'fine_tune'
STRATEGIES = (BASE, 'gradual_unfreezing', 'lora', 'bitfit', 'linear_probe')
_HEADER = """\
| Strategy | Parameters that move | Images/s, median | Fastest | Time, of fine_tune's | Lowest, \
highest | GFLOP a step | Of fine_tune's | Optimizer, MiB | Program, MiB | Measured, MiB \
| Compiling, s |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
"""
_NOTES = """\
Strategies took turns, each in a process of its own; a ratio of medians is taken within a round. \
*GFLOP* are what the compiler counts in the compiled step (`cost_analysis`): for weights that \
never move no gradient is in it. gradual_unfreezing opens layer after layer in one program, which \
so computes all gradients from the first step on. *Program* is the memory that the compiled step \
asks for (`memory_analysis`): weights, optimizer, images, activations and gradients. *Measured* is \
{measured}. Defaults of each strategy, `--optimizer=sgd` with momentum, batch normalisation as the \
strategy wants it; random images. OpenBLAS has one thread (`OPENBLAS_NUM_THREADS=1`).
"""
_PEAK = 'the most that the allocator of the device had in use, compiling included'
_GROWTH = (
  'by how much the resident memory of the process grew at most in its first step, what was there '
  'before (weights, optimizer, images) not included'
)


def measure(torch_python: str | None, rounds: int, seconds: float) -> dict[str, Any]:
  """Measures the step of the strategies.

  Args:
    torch_python: Not used: strategies are compared with each other.
    rounds: How often each strategy has its turn.
    seconds: How long a turn lasts, at least one step.

  Returns:
    The device, versions, which weights, and a row for each strategy.
  """
  del torch_python
  with contextlib.ExitStack() as stack:
    workers = {}
    for name in STRATEGIES:
      print(f'{name}: starts', flush=True)
      command = (sys.executable, '-m', 'scripts.benchmark_transfer')
      workers[name] = Worker(stack.enter_context(Process(name, command)), name)
    for worker in workers.values():
      worker.tune(seconds)
    _workers.take_turns([list(workers.values())], rounds)
  about = workers[BASE].ready['about']
  shared = {name: about[name] for name in ('device', 'versions', 'weights')}
  return shared | {'cases': [_row(name, worker) for name, worker in workers.items()]}


def markdown(result: Mapping[str, Any]) -> str:
  """Returns the table of a result, and how it was made."""
  rows = {row['strategy']: row for row in result['cases']}
  measured = _GROWTH if result['device']['platform'] == 'cpu' else _PEAK
  lines = [
    f'**Transfer**: a training step of EfficientNet-Lite0 with a linear head, {BATCH} images of '
    f'{SIDE}x{SIDE}x3, {result["weights"]} weights.\n',
    _HEADER + ''.join(_line(row, rows[BASE]) for row in rows.values()),
    _NOTES.format(measured=measured),
    _benchmark_table.made(result, [result['versions']]),
  ]
  return '\n'.join(lines)


def _row(name: str, worker: Worker) -> dict[str, Any]:
  """Returns what was measured of a strategy."""
  about = worker.ready['about']
  shared = ('device', 'versions', 'weights')
  return {
    'strategy': name,
    **{key: value for key, value in about.items() if key not in shared},
    **worker.row(),
    'growth_bytes': worker.ready['growth_bytes'],
    'peak_bytes': worker.rounds[-1]['peak_bytes'],
  }


def _line(row: Mapping[str, Any], base: Mapping[str, Any]) -> str:
  median, low, high, *_ = _benchmark_table.ratio(row, base)
  mebibytes = lambda size: '–' if size is None else f'{size / 2**20:,.1f}'
  measured = row['growth_bytes'] if row['peak_bytes'] is None else row['peak_bytes']
  cells = (
    row['strategy'],
    f'{row["moving"]:,} of {row["parameters"]:,}',
    f'{BATCH / statistics.median(row["median_of_each_round"]):.1f}',
    f'{BATCH / row["minimum"]:.1f}',
    f'{median:.2f}',
    f'{low:.2f}, {high:.2f}',
    f'{row["flops"] / 1e9:.2f}',
    f'{row["flops"] / base["flops"]:.2f}',
    mebibytes(row['optimizer_bytes']),
    mebibytes(row['program_bytes']),
    mebibytes(measured),
    f'{row["compile_seconds"]:.0f}',
  )
  return f'| {" | ".join(cells)} |\n'
