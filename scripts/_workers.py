"""The near side of a benchmark: processes that run cases when asked to, and take turns."""

import contextlib
import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from tlda.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
NO_TORCH = 'PyTorch is left out: --torch_python names a Python that has it'
_TRIAL = (5, 1)  # Samples, and steps in each, of a first round that is not counted.
_SAMPLE = 0.1  # Seconds that are timed at once: short, so that some of them go undisturbed.
# Threads of OpenMP, PyTorch's, and of OpenBLAS, by which JAX decomposes matrices, wait for each
# other. Where another program wants a core, spinning makes either many times slower: the former
# sleep, and there is one of the latter.
_THREADS = {'OMP_WAIT_POLICY': 'PASSIVE', 'OPENBLAS_NUM_THREADS': '1'}


def environment() -> dict[str, str]:
  """Returns the environment of what is timed."""
  return _THREADS | os.environ


class Process:
  """A process that answers each line with a line of JSON; it ends with the block."""

  def __init__(self, name: str, command: Sequence[str]) -> None:
    """Starts it.

    Args:
      name: What to call it.
      command: How it is started.
    """
    self._name = name
    self._process = subprocess.Popen(
      command,
      cwd=ROOT,
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      text=True,
      env=environment(),
      start_new_session=True,  # Ctrl-C is for this process, which then ends the other.
    )

  def __enter__(self) -> Self:
    """Returns itself; the process ends with the block."""
    return self

  def __exit__(self, *_: object) -> None:
    """Ends the process."""
    self._process.kill()
    self._process.communicate()

  def ask(self, line: str) -> dict[str, Any]:
    """Sends a line; returns the answer.

    Raises:
      UserError: The process has ended.
    """
    with contextlib.suppress(BrokenPipeError):  # If it has ended, there is no answer either.
      self._process.stdin.write(f'{line}\n')
      self._process.stdin.flush()
    return self.answer()

  def answer(self) -> dict[str, Any]:
    """Returns the next answer.

    Raises:
      UserError: The process has ended.
    """
    line = self._process.stdout.readline()
    if not line:
      self._process.communicate()
      code = self._process.returncode
      raise UserError(f'the process of {self._name!r} ended with exit code {code}')
    return json.loads(line)


class Worker:
  """A case in a process, which runs it when asked to.

  Attributes:
    ready: What was said when it was ready: `first_call` and `about`, or `left_out`.
    rounds: The answer for each round.
  """

  def __init__(self, process: Process, case: str = '') -> None:
    """Waits for its first call.

    Args:
      process: It.
      case: Which of several cases; '' where the process has but one.
    """
    self._process, self._case, self._size = process, case, _TRIAL
    self.rounds: list[dict[str, Any]] = []
    self.ready = process.ask(case) if case else process.answer()

  def tune(self, seconds: float, *, sample: float = _SAMPLE, step: float | None = None) -> None:
    """Lets a round last that many seconds, or a step; without `step` it runs one to know.

    Args:
      seconds: Of a round.
      sample: Seconds that are timed at once.
      step: What a step takes, if that is known.
    """
    if step is None:
      step = statistics.median(self._run()['seconds'])
    steps = max(1, round(sample / step))
    self._size = (max(1, round(seconds / (steps * step))), steps)

  def go(self) -> None:
    """Runs a round."""
    self.rounds.append(self._run())

  def row(self) -> dict[str, Any]:
    """Returns what was measured."""
    samples, steps = self._size
    return {
      'samples_in_a_round': samples,
      'steps_in_a_sample': steps,
      'median_of_each_round': [statistics.median(each['seconds']) for each in self.rounds],
      'minimum': min(second for each in self.rounds for second in each['seconds']),
      'cpu_seconds': statistics.median(
        statistics.median(each['cpu_seconds']) for each in self.rounds
      ),
      'first_call_seconds': self.ready['first_call'],
    }

  def _run(self) -> dict[str, Any]:
    return self._process.ask('{} {} {}'.format(self._case, *self._size).strip())


def take_turns(cases: Sequence[Sequence[Worker]], rounds: int) -> None:
  """Runs rounds; in each, cases that are compared have their turns one after another."""
  for number in range(rounds):
    print(f'round {number + 1} of {rounds}', flush=True)
    for compared in cases:
      for worker in compared if number % 2 else reversed(compared):
        worker.go()


def torch(python: str, module: str, packages: Sequence[str] = ('torch',)) -> tuple[str, ...]:
  """Returns how PyTorch's side is started.

  Args:
    python: A Python that has PyTorch.
    module: What it runs.
    packages: What must be installed there.

  Raises:
    UserError: `python` does not run, or lacks a package.
  """
  python = os.path.abspath(shutil.which(python) or python)
  code = f'import {", ".join(packages)}'
  try:
    tried = subprocess.run([python, '-c', code], capture_output=True, check=False)
  except OSError as error:
    raise UserError(f'--torch_python={python} does not run: {error.strerror}') from error
  if tried.returncode:
    wanted = ' '.join(packages)
    raise UserError(f'--torch_python={python} has no PyTorch: pip install {wanted} there')
  return python, '-m', module
