"""The far side of a benchmark: a process that runs steps whenever it is asked to, and times them.

The sides of a comparison are timed by this one loop, whichever Python they run in, and one at a
time. It needs nothing but the standard library.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any, Protocol

_STATUS = Path('/proc/self/status')


class Bench(Protocol):
  """What is timed.

  Attributes:
    about: What is said of it once: versions, device, number of parameters.
  """

  about: dict[str, Any]

  def run(self, steps: int) -> None:
    """Runs that many steps, and returns when all of them are done."""

  def host_seconds(self) -> float | None:
    """Returns the CPU time of the host's own work around a step; None if there is none apart."""

  def peak_bytes(self) -> int | None:
    """Returns the most memory that was in use so far; None if that is not known."""


def serve(bench: Bench) -> None:
  """Makes the first call, then takes as many samples as each line of the standard input says.

  A line is two numbers: samples, and steps in each. Answers are a line of JSON each: first
  `first_call` (seconds) and `about`, then `seconds` and `cpu_seconds` (of a step, for each sample),
  `host_seconds` and `peak_bytes`. It ends with the input.
  """
  tell({'first_call': _sample(bench, 1)[0], 'about': bench.about})
  for line in sys.stdin:
    samples, steps = map(int, line.split())
    wall, cpu = zip(*(_sample(bench, steps) for _ in range(samples)), strict=True)
    own = {'host_seconds': bench.host_seconds(), 'peak_bytes': bench.peak_bytes()}
    tell({'seconds': wall, 'cpu_seconds': cpu, **own})


def tell(answer: dict[str, Any]) -> None:
  """Sends one answer."""
  print(json.dumps(answer), flush=True)


def process_peak_bytes() -> int | None:
  """Returns the most memory that this process ever had resident; None where Linux does not say.

  Not that of `getrusage`, which begins with the memory of the process that started this one.
  """
  if not _STATUS.exists():
    return None
  lines = dict(line.split(':', 1) for line in _STATUS.read_text().splitlines())
  return 1024 * int(lines['VmHWM'].split()[0])


def _sample(bench: Bench, steps: int) -> tuple[float, float]:
  """Returns the seconds of a step, and those that all threads of this process computed in it."""
  wall, cpu = time.perf_counter(), time.process_time()
  bench.run(steps)
  return (time.perf_counter() - wall) / steps, (time.process_time() - cpu) / steps
