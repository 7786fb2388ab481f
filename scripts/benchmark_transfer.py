"""The training step of transfer strategies, to be timed: `scripts/benchmark.py transfer` runs them.

Each strategy has a process of its own (`python -m scripts.benchmark_transfer`), for an accelerator
tells the peak memory of a process only.
"""

import itertools
import os
import sys
import time
from typing import Any

import jax
import numpy as np

from experiments import problem, provenance
from scripts import _worker
from tlda import methods, tasks, transfer
from tlda.data import Domain, Split
from tlda.errors import UserError
from tlda.methods import Context
from tlda.models import backbones, pretrained
from tlda.models.network import backbone_of
from tlda.training import parallel, start
from tlda.training import seeds as seeds_lib
from tlda.training.inputs import Feed, Inputs, Preprocessing, parts
from tlda.training.state import TrainState, create
from tlda.training.step import Logs, train_step
from tlda.transfer import freezing

BACKBONE = 'efficientnet_lite0'
SIDE, BATCH, CLASSES = 96, 16, 10
TOTAL_STEPS = 1_000
_EXAMPLES = 256  # They stay on the device; how many there are says nothing of a step.


class TransferBench:
  """The step of `experiments.fine_tune` under a strategy: a network with a linear head on images.

  Attributes:
    about: Versions, device, which weights; the number of parameters and of those that move, the
      bytes of the optimizer's state; of the compiled step its floating-point operations, its bytes
      of memory, and the seconds that compiling took.
  """

  def __init__(
    self, strategy: str, *, backbone: str = BACKBONE, side: int = SIDE, batch_size: int = BATCH
  ) -> None:
    """Makes data and weights, and compiles the step.

    Args:
      strategy: The name of a strategy, which has its defaults.
      backbone: The name of the network; published weights are known by the same name.
      side: The side of the images.
      batch_size: The images of a step.
    """
    chosen, target = transfer.get(strategy)(), _domain(side)
    self._method = make_method(chosen, backbone, target)
    self._optimizer = transfer.optimizer(
      'sgd',
      transfer.schedule('cosine', 0.01, TOTAL_STEPS),
      TOTAL_STEPS,
      strategy=chosen,
      layers=backbone_of(self._method.extractor).layers,
    )
    devices = parallel.Parallel('shard_map', batch_size, jax.devices()[:1])
    self._inputs = Inputs(
      parts(self._method, [], target),
      batch_size=batch_size,
      preprocessing=Preprocessing((0.5,), (0.5,)),
      views=(),
      parallel=devices,
      resident=True,
    )
    feeds = self._inputs.feeds([0], 0, sys.maxsize)
    self._feeds = (devices.shard(of_seeds[0]) for of_seeds in feeds)
    self._state, weights = self._begun(backbone, devices)
    compiled = devices.compile(self._step, donates=True)
    lowered = compiled.lower(self._state, self._inputs.arrays, next(self._feeds))
    before = time.perf_counter()
    self._compiled = lowered.compile()
    seconds = time.perf_counter() - before
    self.about: dict[str, Any] = {
      'versions': provenance.versions(),
      'device': parallel.describe(),
      'weights': weights,
      **self._sizes(),
      **costs(self._compiled),
      'compile_seconds': seconds,
    }

  def run(self, steps: int) -> None:
    """Runs steps as fast as they come, and waits for the last."""
    for feed in itertools.islice(self._feeds, steps):
      self._state, _ = self._compiled(self._state, self._inputs.arrays, feed)
    jax.block_until_ready(self._state)

  def host_seconds(self) -> None:
    """Returns None: `scripts/benchmark.py step` measures the host's work."""

  def peak_bytes(self) -> int | None:
    """Returns the peak of an accelerator's memory; None on a CPU."""
    stats = jax.local_devices()[0].memory_stats()
    return stats['peak_bytes_in_use'] if stats else None

  def _begun(self, name: str, devices: parallel.Parallel) -> tuple[TrainState, str]:
    """Returns the first state, and which weights it has: the published ones if they are here."""
    batch = self._inputs.example(0)
    make = lambda seed: create(self._method, self._optimizer, batch, seed, TOTAL_STEPS)
    drawn = seeds_lib.create(devices, make, [0], together=False)
    try:
      read = pretrained.read(name)
    except UserError:
      return drawn[0], 'drawn'
    backbone = backbone_of(self._method.extractor)
    stacked = seeds_lib.stack(drawn, together=False)
    arrays = start.arrays_of_weights(
      lambda variables: pretrained.load(backbone, variables, read), stacked
    )
    begun = start.begin_with(arrays, stacked, self._method, self._optimizer)
    return seeds_lib.unstack(devices, begun, together=False)[0], 'published'

  def _step(self, state: TrainState, arrays: Any, feed: Feed) -> tuple[TrainState, Logs]:
    batch = self._inputs.batch(arrays, feed, Context(state.step, state.seed, TOTAL_STEPS))
    return train_step(
      state, batch, method=self._method, optimizer=self._optimizer, total_steps=TOTAL_STEPS
    )

  def _sizes(self) -> dict[str, int]:
    moving, _ = freezing.split(self._state.params, self._optimizer.moves)
    count = lambda tree: sum(x.size for x in jax.tree.leaves(tree))
    return {
      'parameters': count(self._state.params),
      'moving': count(moving),
      'optimizer_bytes': sum(x.nbytes for x in jax.tree.leaves(self._state.optimizer)),
    }


def make_method(strategy: transfer.Strategy, backbone: str, target: Domain) -> methods.Method:
  """Returns supervised learning of a network with a linear head, and what a strategy adds to it."""
  spec = problem.describe([], target)
  network = backbones.network(
    backbone,
    classes=spec.classes,
    normalization=strategy.normalization or 'joint',
    domains=spec.domains,
    bottleneck=0,
    wrap=strategy.network,
  )
  return methods.TargetOnly(spec, tasks.Classification(), network.extractor, network.head)


def costs(compiled: jax.stages.Compiled) -> dict[str, float | int]:
  """Returns what a compiled program says of itself.

  Args:
    compiled: The program.

  Returns:
    Its floating-point operations, and the bytes that it needs at once: arguments, results and what
    lies between, memory that a result takes over from an argument counted once.
  """
  memory = compiled.memory_analysis()
  held = ('argument', 'output', 'temp')
  return {
    'flops': compiled.cost_analysis()['flops'],
    'program_bytes': sum(getattr(memory, f'{kind}_size_in_bytes') for kind in held)
    - memory.alias_size_in_bytes,
  }


def _domain(side: int) -> Domain:
  """Returns random images and random labels."""
  rng = np.random.default_rng(0)
  images = rng.integers(0, 256, (_EXAMPLES, side, side, 3), dtype=np.uint8)
  split = Split(images, rng.integers(0, CLASSES, _EXAMPLES, dtype=np.int32))
  return Domain('random', split, split, tuple('0123456789'), 'none: random')


if __name__ == '__main__':
  os.environ.setdefault('XLA_PYTHON_CLIENT_PREALLOCATE', 'false')  # Cases share an accelerator.
  jax.config.update('jax_enable_compilation_cache', False)
  _worker.serve_cases(TransferBench)
