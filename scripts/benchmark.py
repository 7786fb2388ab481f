"""Measures how fast training is, and writes `experiments/results/benchmark_step.{json,md}`.

  python scripts/benchmark.py step                       the DANN step on digits, in several ways
  python scripts/benchmark.py step --torch_python=PATH   and the same network in PyTorch (CPU)

PATH is a Python of its own that has PyTorch, such as
  python3.11 -m venv DIR && DIR/bin/pip install torch

Each case is a process that stays; they take turns, one round after another, so that whatever else
the machine does troubles all alike. Needs no data: images are random.
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from experiments import common, provenance  # noqa: E402
from scripts import _benchmark_table  # noqa: E402
from scripts.benchmark_step import CASES, Case  # noqa: E402
from tlda.errors import UserError, nearest  # noqa: E402

BENCHMARKS = ('step',)
TORCH = {f'PyTorch on CPU, {layout}': layout for layout in ('default', 'channels_last')}
_TRIAL = (5, 1)  # Samples, and steps in each, of a first round that is not counted.
_SAMPLE = 0.1  # Seconds that are timed at once: short, so that some of them go undisturbed.


class Worker:
  """A process that runs the steps of one case when asked to.

  Attributes:
    case: What it runs.
    ready: What it said when it was ready: `first_call` and `about`, or `left_out`.
    rounds: Its answer for each round.
  """

  def __init__(self, case: Case, command: Sequence[str]) -> None:
    """Starts it and waits for its first step."""
    self.case, self.rounds, self._size = case, [], _TRIAL
    self._process = subprocess.Popen(
      command,
      cwd=ROOT,
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      text=True,
      # Threads of OpenMP, PyTorch's, sleep while they wait: where another program wants a core,
      # spinning makes PyTorch several times slower.
      env={'OMP_WAIT_POLICY': 'PASSIVE', **os.environ},
      start_new_session=True,  # Ctrl-C is for this process, which then ends the other.
    )
    self.ready = self._answer()

  def __enter__(self) -> Self:
    """Returns itself; the process ends with the block."""
    return self

  def __exit__(self, *_: object) -> None:
    """Ends the process."""
    self._process.kill()
    self._process.communicate()

  def tune(self, seconds: float) -> None:
    """Runs a round that does not count, and lets the next ones last that many seconds."""
    step = statistics.median(self._run()['seconds'])
    steps = max(1, round(_SAMPLE / step))
    self._size = (max(1, round(seconds / (steps * step))), steps)

  def go(self) -> None:
    """Runs a round."""
    self.rounds.append(self._run())

  def row(self) -> dict[str, Any]:
    """Returns what was measured."""
    medians = [statistics.median(each['seconds']) for each in self.rounds]
    minimum = min(second for each in self.rounds for second in each['seconds'])
    cpu = [statistics.median(each['cpu_seconds']) for each in self.rounds]
    host = [each['host_seconds'] for each in self.rounds if each['host_seconds']]
    about, (samples, steps) = self.ready['about'], self._size
    return {
      'case': self.case.name,
      'seeds': self.case.seeds,
      'examples': 2 * self.case.batch_size * self.case.seeds,
      'samples_in_a_round': samples,
      'steps_in_a_sample': steps,
      'median_of_each_round': medians,
      'minimum': minimum,
      'cpu_seconds': statistics.median(cpu),
      'host_share': statistics.median(host) / minimum if host else None,
      'first_call_seconds': self.ready['first_call'],
      'peak_bytes': self.rounds[-1]['peak_bytes'],
      'parameters': about['parameters'],
      'platform': about['device']['platform'],
      'versions': about['versions'],
    }

  def _run(self) -> dict[str, Any]:
    with contextlib.suppress(BrokenPipeError):  # If it has ended, there is no answer either.
      self._process.stdin.write('{} {}\n'.format(*self._size))
      self._process.stdin.flush()
    return self._answer()

  def _answer(self) -> dict[str, Any]:
    line = self._process.stdout.readline()
    if not line:
      self._process.communicate()
      code = self._process.returncode
      raise UserError(f'the process of {self.case.name!r} ended with exit code {code}')
    return json.loads(line)


def measure(
  commands: Mapping[Case, Sequence[str]], rounds: int, seconds: float
) -> tuple[list[Worker], list[str]]:
  """Runs all cases, in turns.

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
    started = []
    for case, command in commands.items():
      print(f'{case.name}: starts', flush=True)
      started.append(stack.enter_context(Worker(case, command)))
    missing = {worker.case.name: worker.ready.get('left_out') for worker in started}
    workers = [worker for worker in started if not missing[worker.case.name]]
    for worker in workers:
      worker.tune(seconds)
    for number in range(rounds):
      print(f'round {number + 1} of {rounds}', flush=True)
      for worker in workers if number % 2 else reversed(workers):
        worker.go()
  return workers, [f'{name} is left out: {why}' for name, why in missing.items() if why]


def commands(torch_python: str | None) -> dict[Case, Sequence[str]]:
  """Returns how the process of each case is started.

  Raises:
    UserError: `torch_python` does not run, or has no PyTorch.
  """
  started = {case: (sys.executable, '-m', 'scripts.benchmark_step', case.name) for case in CASES}
  if not torch_python:
    return started
  torch_python = os.path.abspath(shutil.which(torch_python) or torch_python)
  try:
    tried = subprocess.run([torch_python, '-c', 'import torch'], capture_output=True, check=False)
  except OSError as error:
    raise UserError(f'--torch_python={torch_python} does not run: {error.strerror}') from error
  if tried.returncode:
    raise UserError(f'--torch_python={torch_python} has no PyTorch: pip install torch there')
  torch = (torch_python, '-m', 'scripts.benchmark_torch')
  return started | {Case(name): (*torch, layout) for name, layout in TORCH.items()}


def step(torch_python: str | None, rounds: int, seconds: float) -> dict[str, Any]:
  """Measures the training step; returns what `benchmark_step.json` holds.

  Args:
    torch_python: A Python that has PyTorch; None leaves PyTorch out.
    rounds: How often each case has its turn.
    seconds: How long a turn lasts.
  """
  load = os.getloadavg()[0]
  workers, left_out = measure(commands(torch_python), rounds, seconds)
  if not torch_python:
    left_out.append('PyTorch is left out: --torch_python names a Python that has it')
  words = ['--torch_python=PATH'] * bool(torch_python) + [f'--{rounds=}', f'--{seconds=:g}']
  return {
    'benchmark': 'step',
    'command': ' '.join(['python scripts/benchmark.py step', *words]),
    'commit': provenance.commit() or 'unknown',
    'device': workers[0].ready['about']['device'],
    'cores': os.cpu_count(),
    'load': load,
    'rounds': rounds,
    'seconds_in_a_round': seconds,
    'cases': [worker.row() for worker in workers],
    'left_out': left_out,
  }


def write(path: Path, result: Mapping[str, Any]) -> None:
  """Writes the JSON and, beside it, the Markdown drawn from it; prints the Markdown first.

  Raises:
    UserError: It cannot be written there.
  """
  drawn = _benchmark_table.markdown(result)
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
  for name in ('rounds', 'seconds'):
    if not getattr(given, name) > 0:
      raise UserError(f'--{name} must be above 0, not {getattr(given, name)}')
  path = given.output or ROOT / 'experiments' / 'results' / f'benchmark_{given.benchmark}.json'
  if path.suffix != '.json':
    raise UserError(f'--output={path} must end in .json: the table goes beside it')
  write(path, step(given.torch_python, given.rounds, given.seconds))


def main() -> None:
  """Reads the command line."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument('benchmark', help=f'one of {", ".join(BENCHMARKS)}')
  parser.add_argument('--torch_python', metavar='PATH', help='a Python that has PyTorch')
  parser.add_argument('--rounds', type=int, default=7, help='turns of each case (7)')
  parser.add_argument('--seconds', type=float, default=2.0, help='length of a turn (2)')
  parser.add_argument('--output', type=Path, metavar='FILE.json', help='where to write instead')
  given = parser.parse_args()
  sys.exit(common.guarded(lambda: run(given)))


if __name__ == '__main__':
  main()
