"""Measures how fast things are, and writes `experiments/results/benchmark_NAME.{json,md}`.

  python scripts/benchmark.py step                       the DANN step on digits, in several ways
  python scripts/benchmark.py step --torch_python=PATH   and the same network in PyTorch (CPU)
  python scripts/benchmark.py losses [--torch_python=PATH]   each loss, and the same in PyTorch
  python scripts/benchmark.py methods                    the step of each method
  python scripts/benchmark.py transfer                   the step of strategies of transfer
  python scripts/benchmark.py tables --torch_python=PATH   whole tables, and the same in PyTorch

PATH is a Python of its own that has PyTorch, such as
  python3.11 -m venv DIR && DIR/bin/pip install torch numpy

What is compared runs in processes that stay and take turns, one round after another, so that
whatever else the machine does troubles all alike. Inputs are random, but for `tables`, which reads
the Amazon reviews.
"""

import argparse
import contextlib
import json
import os
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from experiments import common, provenance  # noqa: E402
from scripts import (  # noqa: E402
  _benchmark_losses,
  _benchmark_methods,
  _benchmark_table,
  _benchmark_tables,
  _benchmark_transfer,
  _workers,
)
from scripts._workers import Process, Worker  # noqa: E402
from scripts.benchmark_step import CASES, Case  # noqa: E402
from tlda.errors import UserError, nearest  # noqa: E402

TORCH = {f'PyTorch on CPU, {layout}': layout for layout in ('default', 'channels_last')}


def measure(
  commands: Mapping[Case, Sequence[str]], rounds: int, seconds: float
) -> tuple[dict[Case, Worker], list[str]]:
  """Runs all cases of the step, in turns.

  Args:
    commands: How the process of each case is started.
    rounds: How often each has its turn.
    seconds: How long a turn lasts.

  Returns:
    The workers with their rounds, and a sentence for each case that was left out.

  Raises:
    UserError: A process ended before its time.
  """
  with contextlib.ExitStack() as stack:
    started = {}
    for case, command in commands.items():
      print(f'{case.name}: starts', flush=True)
      started[case] = Worker(stack.enter_context(Process(case.name, command)))
    missing = {case: worker.ready.get('left_out') for case, worker in started.items()}
    workers = {case: worker for case, worker in started.items() if not missing[case]}
    for worker in workers.values():
      worker.tune(seconds)
    _workers.take_turns([list(workers.values())], rounds)
  return workers, [f'{case.name} is left out: {why}' for case, why in missing.items() if why]


def commands(torch_python: str | None) -> dict[Case, Sequence[str]]:
  """Returns how the process of each case of the step is started.

  Raises:
    UserError: `torch_python` does not run, or has no PyTorch.
  """
  started = {case: (sys.executable, '-m', 'scripts.benchmark_step', case.name) for case in CASES}
  if not torch_python:
    return started
  torch = _workers.torch(torch_python, 'scripts.benchmark_torch')
  return started | {Case(name): (*torch, layout) for name, layout in TORCH.items()}


def row(case: Case, worker: Worker) -> dict[str, Any]:
  """Returns what was measured of a case of the step."""
  measured, about = worker.row(), worker.ready['about']
  host = [each['host_seconds'] for each in worker.rounds if each['host_seconds']]
  return {
    'case': case.name,
    'seeds': case.seeds,
    'examples': 2 * case.batch_size * case.seeds,
    **measured,
    'host_share': statistics.median(host) / measured['minimum'] if host else None,
    'peak_bytes': worker.rounds[-1]['peak_bytes'],
    'parameters': about['parameters'],
    'platform': about['device']['platform'],
    'versions': about['versions'],
  }


def step(torch_python: str | None, rounds: int, seconds: float) -> dict[str, Any]:
  """Measures the training step.

  Args:
    torch_python: A Python that has PyTorch; None leaves PyTorch out.
    rounds: How often each case has its turn.
    seconds: How long a turn lasts.

  Returns:
    The device, a row for each case, and what was left out.
  """
  workers, left_out = measure(commands(torch_python), rounds, seconds)
  if not torch_python:
    left_out.append(_workers.NO_TORCH)
  device = next(iter(workers.values())).ready['about']['device']
  cases = [row(case, worker) for case, worker in workers.items()]
  return {'device': device, 'cases': cases, 'left_out': left_out}


class Benchmark(NamedTuple):
  """What can be measured.

  Attributes:
    measure: `(torch_python, rounds, seconds)` to what there is to say of it.
    draw: The Markdown of a result.
    rounds: How often each case has its turn, by default.
    seconds: How long a turn lasts, by default.
  """

  measure: Callable[[str | None, int, float], dict[str, Any]]
  draw: Callable[[Mapping[str, Any]], str]
  rounds: int
  seconds: float


BENCHMARKS = {
  'step': Benchmark(step, _benchmark_table.markdown, 7, 2.0),
  'losses': Benchmark(_benchmark_losses.measure, _benchmark_losses.markdown, 5, 0.1),
  'methods': Benchmark(_benchmark_methods.measure, _benchmark_methods.markdown, 5, 0.3),
  'tables': Benchmark(_benchmark_tables.measure, _benchmark_tables.markdown, 3, 0.0),
  'transfer': Benchmark(_benchmark_transfer.measure, _benchmark_transfer.markdown, 5, 2.0),
}


def result(name: str, torch_python: str | None, rounds: int, seconds: float) -> dict[str, Any]:
  """Measures; returns what `benchmark_NAME.json` holds."""
  words = ['--torch_python=PATH'] * bool(torch_python) + [f'--{rounds=}', f'--{seconds=:g}']
  about = {
    'benchmark': name,
    'command': ' '.join([f'python scripts/benchmark.py {name}', *words]),
    'commit': provenance.commit() or 'unknown',
    'cores': os.cpu_count(),
    'load': os.getloadavg()[0],
    'rounds': rounds,
    'seconds_in_a_round': seconds,
    'blas_threads': 1,  # As _workers.py has it.
  }
  return about | BENCHMARKS[name].measure(torch_python, rounds, seconds)


def write(path: Path, result: Mapping[str, Any]) -> None:
  """Writes the JSON and, beside it, the Markdown drawn from it; prints the Markdown first.

  Raises:
    UserError: It cannot be written there.
  """
  drawn = BENCHMARKS[result['benchmark']].draw(result)
  print(drawn, flush=True)
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + '\n', encoding='utf-8')
    path.with_suffix('.md').write_text(drawn, encoding='utf-8')
  except OSError as error:
    raise UserError(f'{path} cannot be written: {error.strerror}') from error


def run(given: argparse.Namespace) -> None:
  """Does what the command line says.

  Raises:
    UserError: Whatever the user got wrong.
  """
  if given.benchmark not in BENCHMARKS:
    raise UserError(nearest('benchmark', given.benchmark, BENCHMARKS))
  sizes = {name: getattr(given, name) for name in ('rounds', 'seconds')}
  for name, size in sizes.items():
    if size is None:
      sizes[name] = getattr(BENCHMARKS[given.benchmark], name)
    elif not size > 0:
      raise UserError(f'--{name} must be above 0, not {size}')
  path = given.output or ROOT / 'experiments' / 'results' / f'benchmark_{given.benchmark}.json'
  if path.suffix != '.json':
    raise UserError(f'--output={path} must end in .json: the table goes beside it')
  write(path, result(given.benchmark, given.torch_python, **sizes))


def main() -> None:
  """Reads the command line."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  each = lambda size: ', '.join(f'{name} {getattr(x, size):g}' for name, x in BENCHMARKS.items())
  parser.add_argument('benchmark', help=f'one of {", ".join(BENCHMARKS)}')
  parser.add_argument('--torch_python', metavar='PATH', help='a Python that has PyTorch')
  parser.add_argument('--rounds', type=int, help=f'turns of each case ({each("rounds")})')
  parser.add_argument('--seconds', type=float, help=f'length of a turn ({each("seconds")})')
  parser.add_argument('--output', type=Path, metavar='FILE.json', help='where to write instead')
  given = parser.parse_args()
  sys.exit(common.guarded(lambda: run(given)))


if __name__ == '__main__':
  main()
