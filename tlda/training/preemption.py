"""Being told to stop: SIGTERM or Ctrl-C on one host, the cluster's notice on a pod."""

import itertools
import signal
from types import FrameType
from typing import Self

from tlda.training import parallel

# Not an error, and not success: run the same command again and it goes on (EX_TEMPFAIL).
EXIT_CODE = 75

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# Steps of this process, over all its runs: the service wants a number that only grows.
_steps = itertools.count(1)


class Preempted(Exception):
  """The run was told to stop, and has saved itself."""


class Notice:
  """Listens for the notice while a run is in its loop.

  What comes after the last step of one run stops the next one in this process (a second stage).
  """

  _heard = False

  def _hear(self, number: int, frame: FrameType | None) -> None:
    del frame
    Notice._heard = True
    if number == signal.SIGINT:  # A second Ctrl-C does not wait for the step.
      signal.signal(number, self._previous[number])

  def __enter__(self) -> Self:
    """Starts to listen. Across hosts it is the coordination service of JAX that listens."""
    self._previous = {}
    if parallel.hosts() == 1:
      # What is ignored, as Ctrl-C is by jobs in the background, stays so.
      numbers = [n for n in _SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]
      self._previous = {number: signal.signal(number, self._hear) for number in numbers}
    return self

  def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
    """Stops listening."""
    if kind in (Preempted, KeyboardInterrupt):
      Notice._heard = False
    for number, handler in self._previous.items():
      signal.signal(number, handler)

  def has_come(self) -> bool:
    """Tells whether to stop after this training step, with the same answer on every host."""
    if parallel.hosts() == 1:
      return self._heard
    return parallel.any_host_preempted(next(_steps))
