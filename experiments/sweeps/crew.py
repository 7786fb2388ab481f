"""Several workers on one machine, each a process."""

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence


def run(command: Sequence[str], workers: int) -> int:
  """Starts a command several times, and passes on what each says, with its number before it.

  SIGTERM is passed on to all. One that is lost leaves its run to the others.

  Args:
    command: What a worker is.
    workers: How many.

  Returns:
    0, or the code of one that ended otherwise; 1 where it was killed.
  """
  crew = [
    subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for _ in range(workers)
  ]
  stop = lambda *_: [worker.terminate() for worker in crew]
  before = signal.signal(signal.SIGTERM, stop)
  try:
    threads = [
      threading.Thread(target=_follow, args=(worker, number)) for number, worker in enumerate(crew)
    ]
    for thread in threads:
      thread.start()
    for thread in threads:
      thread.join()
  finally:
    signal.signal(signal.SIGTERM, before)
    stop()
  codes = [worker.wait() for worker in crew]
  return max((1 if code < 0 else code for code in codes), default=0)


def _follow(worker: subprocess.Popen, number: int) -> None:
  """Prints what a worker says; waits for it, so that others see when it is gone."""
  with worker.stdout as lines:
    for line in lines:
      print(f'[{number}] {line}', end='', flush=True)
  if (code := worker.wait()) < 0:
    print(f'[{number}] was killed by signal {-code}', file=sys.stderr, flush=True)
