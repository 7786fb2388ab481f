"""Being told to stop: SIGTERM on one host, the cluster's notice on a pod."""

import itertools
import signal
from types import FrameType
from typing import Self

from tlda.training import parallel

# Not an error, and not success: run the same command again and it goes on (EX_TEMPFAIL).
EXIT_CODE = 75


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
    del number, frame
    Notice._heard = True

  def __enter__(self) -> Self:
    """Starts to listen. Across hosts it is the coordination service of JAX that listens."""
    if parallel.hosts() == 1:
      self._previous = signal.signal(signal.SIGTERM, self._hear)
    return self

  def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
    """Stops listening."""
    if kind is Preempted:
      Notice._heard = False
    if parallel.hosts() == 1:
      signal.signal(signal.SIGTERM, self._previous)

  def has_come(self) -> bool:
    """Tells whether to stop after this training step, with the same answer on every host."""
    if parallel.hosts() == 1:
      return self._heard
    return parallel.any_host_preempted(next(_steps))
