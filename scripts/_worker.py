"""The far side of a benchmark: a process that runs steps whenever it is asked to, and times them.

The sides of a comparison are timed by this one loop, whichever Python they run in, and one at a
time. It needs nothing but the standard library.
"""

import ctypes
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

_STATUS, _CLEAR = Path('/proc/self/status'), Path('/proc/self/clear_refs')
_SHORT = 0.2  # Seconds of a call that may be made again to measure its memory.
_REST = 0.03  # Seconds in which what a call has freed goes back to the system.


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
    _answer(bench, *map(int, line.split()))


def serve_cases(make: Callable[[str], Bench]) -> None:
  """Serves several cases in one process: a line begins with a name.

  With nothing after it the case is made, unless it is there, and the answer is that of a first
  call, with `growth_bytes` of it or of the next. With two numbers after it, samples are taken.

  Args:
    make: Returns the case of a name, which has no spaces.
  """
  benches: dict[str, Bench] = {}
  for line in sys.stdin:
    name, *size = line.split()
    if size:
      _answer(benches[name], *map(int, size))
      continue
    if name not in benches:
      benches[name] = make(name)
    call = lambda bench=benches[name]: _sample(bench, 1)[0]
    first, growth = growth_bytes(call)
    if growth is not None and first < _SHORT:  # A block that is freed late is used again unseen.
      growth = max(growth, *(growth_bytes(call)[1] for _ in range(2)))
    tell({'first_call': first, 'about': benches[name].about, 'growth_bytes': growth})


def tell(answer: dict[str, Any]) -> None:
  """Sends one answer."""
  print(json.dumps(answer), flush=True)


def process_peak_bytes() -> int | None:
  """Returns the most memory that this process ever had resident; None where Linux does not say.

  Not that of `getrusage`, which begins with the memory of the process that started this one.
  """
  return _status('VmHWM') if _STATUS.exists() else None


def growth_bytes(call: Callable[[], Any]) -> tuple[Any, int | None]:
  """Calls a function; returns its result, and by how much this process's memory grew meanwhile.

  That is the most that was resident during the call, less what was before; None where Linux does
  not say. What was freed before is given back first, for a call may use it again unseen.
  """
  if not _CLEAR.exists():
    return call(), None
  time.sleep(_REST)
  ctypes.CDLL(None).malloc_trim(0)
  _CLEAR.write_text('5')  # The peak begins anew.
  before = _status('VmRSS')
  return call(), _status('VmHWM') - before


def _status(field: str) -> int:
  """Returns a size of this process, in bytes."""
  lines = dict(line.split(':', 1) for line in _STATUS.read_text().splitlines())
  return 1024 * int(lines[field].split()[0])


def _answer(bench: Bench, samples: int, steps: int) -> None:
  """Takes samples, and tells them."""
  wall, cpu = zip(*(_sample(bench, steps) for _ in range(samples)), strict=True)
  own = {'host_seconds': bench.host_seconds(), 'peak_bytes': bench.peak_bytes()}
  tell({'seconds': wall, 'cpu_seconds': cpu, **own})


def _sample(bench: Bench, steps: int) -> tuple[float, float]:
  """Returns the seconds of a step, and those that all threads of this process computed in it."""
  wall, cpu = time.perf_counter(), time.process_time()
  bench.run(steps)
  return (time.perf_counter() - wall) / steps, (time.process_time() - cpu) / steps
