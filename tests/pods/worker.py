"""One of the two processes that `test_pod.py` makes a pod of."""

import os
import signal
import sys
import time
from pathlib import Path

import jax

from tests.problem import make_run
from tlda.methods import DANN
from tlda.training import parallel
from tlda.training.fit import Trainer
from tlda.training.preemption import EXIT_CODE, Preempted

STEPS = 12


def main() -> None:
  coordinator, process, workdir, fate, at = sys.argv[1:]
  jax.config.update('jax_num_cpu_devices', 4)
  parallel.connect(coordinator, 2, int(process))
  train, calls = Trainer._train, []

  def mortal(self: Trainer, *args: object) -> object:
    calls.append(1)
    if len(calls) == int(at) and fate == 'dies':
      os._exit(9)
    if len(calls) == int(at) and fate == 'is told to stop':
      os.kill(os.getpid(), signal.SIGTERM)
      time.sleep(1)  # The notice goes through the coordinator before the step ends.
    return train(self, *args)

  Trainer._train = mortal
  run = make_run(DANN, Path(workdir), steps=STEPS, distribute='shard_map')
  try:
    Trainer(run).run()
  except Preempted as notice:
    print(notice, flush=True)
    # No exit handlers: they would wait for the other process, which has its own way to leave.
    os._exit(EXIT_CODE)


if __name__ == '__main__':
  main()
