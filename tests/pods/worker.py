"""One of the two processes that `test_pod.py` makes a pod of."""

import sys
from pathlib import Path

import jax

from tests.problem import make_run
from tlda.methods import DANN
from tlda.training import parallel
from tlda.training.fit import Trainer


def main() -> None:
  coordinator, process, workdir, die_at = sys.argv[1:]
  jax.config.update('jax_num_cpu_devices', 4)
  parallel.connect(coordinator, 2, int(process))
  train, calls = Trainer._train, []

  def mortal(self: Trainer, *args: object) -> object:
    calls.append(1)
    if len(calls) == int(die_at):
      import os

      os._exit(9)
    return train(self, *args)

  Trainer._train = mortal
  Trainer(make_run(DANN, Path(workdir), steps=6, distribute='shard_map')).run()


if __name__ == '__main__':
  main()
