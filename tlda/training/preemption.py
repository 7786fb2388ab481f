"""Being told to stop: SIGTERM on one host, the cluster's notice on a pod."""

import signal
from types import FrameType
from typing import Self

from tlda.training import parallel

# Not an error, and not success: run the same command again and it goes on (EX_TEMPFAIL).
EXIT_CODE = 75


class Preempted(Exception):
  """The run was told to stop, and has saved itself."""


class Notice:
  """Listens for the notice while a run is in its loop."""

  def __init__(self) -> None:
    """Hears nothing yet."""
    self._heard = False

  def _hear(self, number: int, frame: FrameType | None) -> None:
    del number, frame
    self._heard = True

  def __enter__(self) -> Self:
    """Starts to listen. Across hosts it is the coordination service of JAX that listens."""
    if parallel.hosts() == 1:
      self._previous = signal.signal(signal.SIGTERM, self._hear)
    return self

  def __exit__(self, *_: object) -> None:
    """Stops listening."""
    if parallel.hosts() == 1:
      signal.signal(signal.SIGTERM, self._previous)

  def has_come(self, step: int) -> bool:
    """Tells whether to stop after training step `step`, with the same answer on every host."""
    return self._heard if parallel.hosts() == 1 else parallel.any_host_preempted(step)
