"""How far a run has come: a bar on a terminal, a line a log step elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn


class Clock:
  """Measures the rate of steps: the first (compiling) call and pauses are left out.

  Attributes:
    seconds: Spent in all, those of earlier runs of the same workdir included.
  """

  def __init__(
    self, seconds_before: float = 0.0, now: Callable[[], float] = time.monotonic
  ) -> None:
    """Starts; `seconds_before` were spent by earlier runs of this workdir."""
    self._now, self._start, self._before = now, now(), seconds_before
    self._running, self._steps, self._since = 0.0, 0, None

  @property
  def seconds(self) -> float:
    """The wall time of the training so far, pauses and compilation included."""
    return self._before + self._now() - self._start

  def tick(self, steps: int = 1) -> None:
    """Counts the steps of one call; the first call, which compiles, only starts the clock."""
    now = self._now()
    if self._since is not None:
      self._running += now - self._since
      self._steps += steps
    self._since = now

  @contextmanager
  def pause(self) -> Iterator[None]:
    """Leaves out what is done within: evaluation, checkpoints."""
    if self._since is not None:
      self._running += self._now() - self._since
    yield
    self._since = self._now() if self._since is not None else None

  @property
  def rate(self) -> float | None:
    """Steps a second, or None before the second step."""
    return self._steps / self._running if self._steps and self._running > 0 else None


def duration(seconds: float) -> str:
  """Returns a duration as '42s', '6m05s' or '2h05m'."""
  whole = round(seconds)
  if whole < 60:
    return f'{whole}s'
  if whole < 3600:
    return f'{whole // 60}m{whole % 60:02d}s'
  return f'{whole // 3600}h{whole // 60 % 60:02d}m'


def line(step: int, total: int, rate: float | None, examples: int, terms: dict[str, float]) -> str:
  """Returns one line that says where a run is.

  Args:
    step: The steps that were done.
    total: The planned number of steps.
    rate: Steps a second, or None while it is not known.
    examples: Examples that a step takes in, all domains and seeds counted.
    terms: What to show of the losses, name to mean over seeds.
  """
  parts = [f'step {step}/{total} {100 * step // total}%']
  if rate:
    eta = duration((total - step) / rate)
    parts += [f'{rate:.1f} steps/s', f'{rate * examples:,.0f} examples/s', f'ETA {eta}']
  parts.append(' '.join(f'{name} {value:.3f}' for name, value in terms.items()))
  return ' | '.join(part for part in parts if part)


class Display:
  """Shows the lines: one that changes in place on a terminal, one after another elsewhere."""

  def __init__(self, total: int, is_first_host: bool) -> None:
    """Opens the display; only the first host shows anything."""
    self._shown = is_first_host
    self._bar = None
    if is_first_host and sys.stdout.isatty():
      columns = (BarColumn(bar_width=24), TaskProgressColumn(), TextColumn('{task.description}'))
      self._bar = Progress(*columns)
      self._task = self._bar.add_task('compiling', total=total)
      self._bar.start()

  def show(self, step: int, text: str) -> None:
    """Shows where the run is."""
    if self._bar:
      self._bar.update(self._task, completed=step, description=text.partition('% | ')[2] or text)
    else:
      self.say(text)

  def say(self, text: str) -> None:
    """Says something that stays."""
    if self._bar:
      self._bar.console.print(text, highlight=False, markup=False)
    elif self._shown:
      print(text, flush=True)

  def close(self) -> None:
    """Gives the terminal back."""
    if self._bar:
      self._bar.stop()
