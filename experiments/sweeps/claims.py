"""Who works at a run: at most one worker at a time, and none that is gone.

A worker takes a run by creating a file that was not there, `claims/RUN.0.json`, and says in it, for
as long as it works, until when it will have spoken again. Where it has not, the run belongs to
whoever creates `claims/RUN.1.json` first, and so on: creating a file that nobody has is all that a
disk or a bucket must be able to do. Machines whose clocks differ by more than that term take runs
from each other.
"""

import contextlib
import dataclasses
import json
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from experiments import provenance
from experiments.sweeps import places
from tlda.training.preemption import EXIT_CODE

RUNNING, RELEASED, FAILED = 'running', 'released', 'failed'
# How often a worker speaks within the term that it has.
BEATS = 5
# Seconds after which a claim that nobody finished writing is of no account.
_UNWRITTEN = 60.0


@dataclasses.dataclass(frozen=True)
class Claim:
  """What a worker says of itself.

  Attributes:
    number: Counts those who have taken the run, from 0.
    host: The name of its machine.
    pid: Its process.
    machine: What that number is unique on; '' where it cannot be told.
    commit: Of its checkout.
    token: Tells it from all others.
    expires: When it is to be given up, in seconds since the epoch.
    state: Whether it works, has given the run back, or has seen it fail.
  """

  number: int
  host: str
  pid: int
  machine: str
  commit: str | None
  token: str
  expires: float
  state: str = RUNNING

  def is_lost(self, now: float) -> bool:
    """Tells whether the worker has not spoken in time, or is known to be dead."""
    dead = self.machine == machine() != '' and not _is_alive(self.pid)
    return self.state == RUNNING and (now > self.expires or dead)

  @property
  def is_running(self) -> bool:
    """Whether the worker has neither given the run back nor seen it fail."""
    return self.state == RUNNING


class Lease:
  """A run that this process has taken, for as long as it says so."""

  def __init__(self, base: str, claim: Claim, term: float) -> None:
    """Makes a claim this process's own; `base` is where the claims of its run lie."""
    self._base, self._claim, self._term = base, claim, term

  def renew(self) -> bool:
    """Says that the worker is there; tells whether the run is still its own."""
    if places.read(_path(self._base, self._claim.number + 1)) is not None:
      return False
    self._write(RUNNING, time.time() + self._term)
    return True

  def end(self, state: str) -> None:
    """Gives the run back, or says that it has failed."""
    self._write(state, time.time())

  def _write(self, state: str, expires: float) -> None:
    claim = dataclasses.replace(self._claim, state=state, expires=expires)
    places.replace(_path(self._base, claim.number), _text(claim))

  @contextlib.contextmanager
  def kept(self, lost: Callable[[], object] | None = None) -> Iterator[None]:
    """Renews the claim from a thread, until the block ends.

    Args:
      lost: What to do when another worker has taken the run; by default the process ends at once,
        before it writes to what is no longer its own.
    """
    over = threading.Event()
    thread = threading.Thread(target=self._keep, args=(over, lost or _leave), daemon=True)
    thread.start()
    try:
      yield
    finally:
      over.set()
      thread.join()

  def _keep(self, over: threading.Event, lost: Callable[[], object]) -> None:
    while not over.wait(self._term / BEATS):
      try:
        if not self.renew():
          lost()
          return
      except Exception as error:  # A bucket may be out of reach for less than the term.
        print(f'the claim could not be renewed: {error}', file=sys.stderr)


def history(folder: str, run: str) -> list[Claim]:
  """Returns all claims of a run, the last of which counts."""
  base, found = f'{folder}/claims/{run}', []
  while (text := places.read(path := _path(base, len(found)))) is not None:
    found.append(_parse(text, len(found), path))
  return found


def take(folder: str, run: str, number: int, term: float) -> Lease | None:
  """Takes a run, unless another worker is faster.

  Args:
    folder: Of the sweep.
    run: Its id.
    number: Of claims that it had.
    term: Seconds after which this claim is to be given up if it is not renewed.
  """
  claim = Claim(
    number=number,
    host=socket.gethostname(),
    pid=os.getpid(),
    machine=machine(),
    commit=provenance.commit(),
    token=uuid.uuid4().hex,
    expires=time.time() + term,
  )
  base = f'{folder}/claims/{run}'
  text, path = _text(claim), _path(base, number)
  # A request that was answered too late, and sent again, finds its own file.
  if places.create(path, text) or places.read(path) == text:
    return Lease(base, claim, term)
  return None


def machine() -> str:
  """Returns what a process number is unique on: this boot, this container; '' if nothing tells."""
  try:
    boot = Path('/proc/sys/kernel/random/boot_id').read_text().strip()
    return f'{boot} {os.readlink("/proc/self/ns/pid")}'
  except OSError:
    return ''


def _is_alive(pid: int) -> bool:
  try:
    os.kill(pid, 0)
  except ProcessLookupError:
    return False
  except PermissionError:
    pass
  return True


def _leave() -> None:
  print('another worker has taken this run, which seemed lost: leaving', file=sys.stderr)
  sys.stderr.flush()
  os._exit(EXIT_CODE)


def _path(base: str, number: int) -> str:
  return f'{base}.{number}.json'


def _text(claim: Claim) -> str:
  return json.dumps(dataclasses.asdict(claim), indent=2) + '\n'


def _parse(text: str, number: int, path: str) -> Claim:
  try:
    return Claim(**json.loads(text))
  except (ValueError, TypeError):  # Its worker is writing it, or was lost as it did.
    return Claim(number, '?', 0, '', None, '', places.modified(path) + _UNWRITTEN)
