"""The training step of `tlda`, to be timed: `scripts/benchmark.py step` runs each case of it.

Each case is a process of its own (`python -m scripts.benchmark_step NAME`), for the number of
virtual devices is fixed when JAX starts, and peak memory is that of a process.
"""

import dataclasses
import itertools
import os
import statistics
import sys
import time
from typing import Any

import jax
import numpy as np

from experiments import problem, provenance
from scripts import _worker
from tlda import methods, tasks, transfer
from tlda.data import Domain, Split
from tlda.methods import Context
from tlda.models import backbones
from tlda.training import parallel
from tlda.training import seeds as seeds_lib
from tlda.training.inputs import Feed, Inputs, parts
from tlda.training.state import TrainState, create
from tlda.training.step import Logs, train_step

CLASSES = 10
TOTAL_STEPS = 20_000
_PROBES = 5  # Steps whose host work is timed after each round.
_GREY = (28, 28, 1)
_SHAPES = {'mnist_net': (28, 28, 3), 'lenet': _GREY, 'lenet_bn': _GREY, 'mlp': (512,)}


@dataclasses.dataclass(frozen=True)
class Case:
  """One way to run a training step on the digits experiment's settings.

  Attributes:
    name: As it is shown.
    backbone: 'mlp' sees random vectors, the others random images.
    resident: Whether the data live on the device, or rows are fed at each step.
    devices: Their number; virtual ones on a CPU.
    seeds: Trainings in one program.
    examples: Of each domain; MNIST has 60,000.
    batch_size: Examples of each domain in a step.
    method: What is trained, with its defaults.
  """

  name: str
  backbone: str = 'mnist_net'
  resident: bool = True
  devices: int = 1
  seeds: int = 1
  examples: int = 60_000
  batch_size: int = 64
  method: str = 'dann'


CASES = (
  Case('resident'),
  Case('host-fed', resident=False),
  Case('8 devices', devices=8),
  Case('5 seeds', seeds=5),
  Case('MLP', backbone='mlp'),
  Case('MLP, 5 seeds', backbone='mlp', seeds=5),
)


class StepBench:
  """The training step of a case, fed and dispatched as `fit` does it.

  Attributes:
    about: Versions, device, number of parameters, and the backbone.
  """

  def __init__(self, case: Case) -> None:
    """Makes data and states; compiles the step only when it first runs."""
    source, target = _domain('left', 1, case), _domain('right', 2, case)
    spec, cls = problem.describe([source], target), methods.get(case.method)
    self._method = make_method(cls, case, spec)
    schedule = transfer.schedule('annealing', 0.01, TOTAL_STEPS)
    self._optimizer = transfer.optimizer('sgd', schedule, TOTAL_STEPS)
    devices = parallel.Parallel(None, case.batch_size, jax.devices()[: case.devices])
    self._inputs = Inputs(
      parts(self._method, [source], target),
      batch_size=case.batch_size,
      preprocessing=problem.preprocessing(cls, [source], target),
      views=self._method.views,
      parallel=devices,
      resident=case.resident,
    )
    together = seeds_lib.together(spec.input_shape, case.seeds)
    self._seeds = tuple(range(case.seeds))
    self._program = seeds_lib.Program(devices, self._step, together=together, donates=True)
    self._states = seeds_lib.create(devices, self._created, self._seeds, together=together)
    self._feeds = self._inputs.feeds(self._seeds, 0, sys.maxsize)
    sizes = [x.size for state in self._states for x in jax.tree.leaves(state.params)]
    self.about: dict[str, Any] = {
      'versions': provenance.versions(),
      'device': parallel.describe(),
      'parameters': sum(sizes) // case.seeds,
      'backbone': case.backbone,
    }

  def run(self, steps: int) -> None:
    """Runs steps as fast as they come, and waits for the last."""
    for feeds in itertools.islice(self._feeds, steps):
      self._dispatch(feeds)
    jax.block_until_ready(self._states)

  def host_seconds(self) -> float:
    """Returns the CPU time of this thread that making and dispatching a feed takes, in the median.

    It is CPU time, for the wall time holds the turns of other programs too, and of XLA's threads.
    """
    spent = []
    for step in range(_PROBES):
      start = time.thread_time()
      self._dispatch([self._inputs.feed(seed, step) for seed in self._seeds])
      spent.append(time.thread_time() - start)
      jax.block_until_ready(self._states)
    return statistics.median(spent)

  def peak_bytes(self) -> int | None:
    """Returns the peak of an accelerator's memory, or that of the process on a CPU."""
    stats = jax.local_devices()[0].memory_stats()
    return stats['peak_bytes_in_use'] if stats else _worker.process_peak_bytes()

  def _dispatch(self, feeds: list[Feed]) -> None:
    results = self._program(self._states, self._inputs.arrays, feeds)
    self._states = [state for state, _ in results]

  def _step(self, state: TrainState, arrays: Any, feed: Feed) -> tuple[TrainState, Logs]:
    batch = self._inputs.batch(arrays, feed, Context(state.step, state.seed, TOTAL_STEPS))
    return train_step(
      state, batch, method=self._method, optimizer=self._optimizer, total_steps=TOTAL_STEPS
    )

  def _created(self, seed: jax.Array) -> TrainState:
    example = self._inputs.example(self._seeds[0])
    return create(self._method, self._optimizer, example, seed, TOTAL_STEPS)


def make_method(cls: type[methods.Method], case: Case, spec: methods.Spec) -> methods.Method:
  """Returns the method of a case, on its network.

  Raises:
    UserError: The method cannot work on it.
  """
  normalization = cls.normalization or 'joint'
  network = backbones.network(
    case.backbone, classes=CLASSES, normalization=normalization, domains=spec.domains
  )
  own = {'domain_classifier': network.domain_classifier}
  own = own if 'domain_classifier' in {field.name for field in dataclasses.fields(cls)} else {}
  task = tasks.Classification()
  method = cls(spec=spec, task=task, extractor=network.extractor, head=network.head, **own)
  method.check(case.batch_size)
  return method


def _domain(name: str, seed: int, case: Case) -> Domain:
  """Returns a domain of random images, or vectors, and random labels."""
  rng, shape = np.random.default_rng(seed), (case.examples, *_SHAPES[case.backbone])
  labels = rng.integers(0, CLASSES, case.examples, dtype=np.int32)
  inputs = rng.random(shape, np.float32)
  if len(shape) > 2:
    inputs = rng.integers(0, 256, shape, dtype=np.uint8)
  split = Split(inputs, labels)
  return Domain(name, split, split, tuple('0123456789'), 'none: random')


def main() -> None:
  """Serves the case that the command line names."""
  case = {case.name: case for case in CASES}[sys.argv[1]]
  os.environ.setdefault('XLA_PYTHON_CLIENT_PREALLOCATE', 'false')  # Cases share an accelerator.
  jax.config.update('jax_enable_compilation_cache', False)  # The first call is to compile.
  jax.config.update('jax_num_cpu_devices', case.devices)
  if jax.device_count() < case.devices:
    _worker.tell(
      {'left_out': f'it needs {case.devices} devices, and {jax.device_count()} are here'}
    )
    return
  _worker.serve(StepBench(case))


if __name__ == '__main__':
  main()
