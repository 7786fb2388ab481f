"""A stream of test batches, each answered at once by a network that adapts to it.

The labels never get here: what was answered is measured by the caller.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from tlda import axis
from tlda.data import Split
from tlda.errors import UserError, nearest
from tlda.methods import Batch, Context
from tlda.methods.initialization import network_variables
from tlda.methods.method import Variables, random_keys
from tlda.methods.test_time.online import Online
from tlda.training import parallel
from tlda.training import seeds as seeds_lib
from tlda.training.inputs import Inputs, Part, Preprocessing
from tlda.training.parallel import Parallel
from tlda.training.run import LONGEST
from tlda.training.state import TrainState, optimizer_states
from tlda.training.step import train_step
from tlda.transfer import Optimizer

# When the network goes back to what it was: not at all, with each domain, or with each batch.
RESETS = ('never', 'domain', 'batch')


@dataclasses.dataclass(frozen=True)
class Stream:
  """Domains one after the other, each seen once in an order by the seed, in whole batches.

  Attributes:
    method: What adapts the network.
    optimizer: What moves its weights.
    preprocessing: Of the inputs.
    splits: The test examples of each domain; labels are not used.
    variables: Of each seed, the network to begin with: 'params' and 'batch_stats'.
    seeds: Of the orders, and of what is random in the method.
    batch_size: Examples that are answered at once, on all devices; what is left of a domain after
      whole batches is not seen.
    reset: One of `RESETS`.
  """

  method: Online
  optimizer: Optimizer
  preprocessing: Preprocessing
  splits: tuple[Split, ...]
  variables: tuple[Variables, ...]
  seeds: tuple[int, ...]
  batch_size: int
  reset: str = 'never'

  def batches(self, split: Split) -> int:
    """Returns how many batches of a domain are seen."""
    return len(split) // self.batch_size

  def check(self) -> None:
    """Refuses a stream without a batch, a rule that there is not, and a problem not for the method.

    Raises:
      UserError: What does not fit.
    """
    if self.reset not in RESETS:
      raise UserError(nearest('reset', self.reset, RESETS))
    if not isinstance(self.method, Online):
      raise UserError(f'{type(self.method).__name__} answers no stream: it is trained before')
    shortest = min(map(len, self.splits))
    if shortest < self.batch_size:
      raise UserError(
        f'a domain of the stream has {shortest} examples, which is less than a batch: '
        f'--batch_size={self.batch_size}'
      )
    self.method.check(self.batch_size)


class Answers(NamedTuple):
  """What was said of one domain of a stream, in the order of the stream.

  Attributes:
    rows: int `[seeds, examples]`, which row of the split each was.
    adapted: `[seeds, examples, classes]`, the method's answers.
    unadapted: `[seeds, examples, classes]`, logits of the network that the stream began with.
  """

  rows: np.ndarray
  adapted: np.ndarray
  unadapted: np.ndarray

  def errors(self, labels: np.ndarray) -> tuple[list[float], list[float]]:
    """Returns the share of wrong answers of each seed, adapted and unadapted."""
    wrong = lambda logits: (logits.argmax(axis=-1) != labels[self.rows]).mean(axis=1).tolist()
    return wrong(self.adapted), wrong(self.unadapted)


def online_step(
  state: TrainState, batch: Batch, *, method: Online, optimizer: Optimizer, total_steps: int
) -> tuple[TrainState, jax.Array]:
  """Answers a batch, then adapts to it.

  Returns:
    The state after the step, and the answers `[batch, classes]` of this device's examples.
  """
  context = Context(state.step, state.seed, total_steps)
  options = {'method': 'answer', 'rngs': random_keys(context), 'mutable': [*state.states]}
  answers, _ = method.apply(state.variables, batch, context, **options)
  options = {'method': method, 'optimizer': optimizer, 'total_steps': total_steps}
  return train_step(state, batch, **options)[0], answers


def follow(stream: Stream) -> Iterator[Answers]:
  """Yields the answers for each domain of a stream.

  Raises:
    UserError: See `Stream.check`; or the batch cannot be shared evenly by the devices.
  """
  stream.check()
  devices = Parallel(None, stream.batch_size)
  shape, resident = stream.method.spec.input_shape, _all_in_memory(stream.splits)
  together = seeds_lib.together(shape, len(stream.seeds))
  first = _inputs(stream, stream.splits[0], devices, resident=resident)
  program = seeds_lib.Program(devices, _step_of(stream, first), together=together)
  start = begin(stream, devices, together=together)
  states, every = start, stretch(resident=resident)
  for split in stream.splits:
    inputs = _inputs(stream, split, devices, resident=resident)
    if stream.reset == 'domain':
      states = list(map(renewed, start, states))
    said, done = [], stream.batches(split)
    for _, feeds in inputs.stretches(stream.seeds, 0, done, every):
      results = program(list(zip(states, start, strict=True)), inputs.arrays, feeds)
      states = [state for state, _ in results]
      said.append(seeds_lib.stack([own for _, own in results], together=together))
    orders = [[inputs.indices(seed, n)['target'][0] for n in range(done)] for seed in stream.seeds]
    answers = (np.concatenate(parts, axis=1) for parts in zip(*said, strict=True))
    joined = (x.reshape(x.shape[0], -1, x.shape[-1]) for x in answers)
    yield Answers(np.array(orders).reshape(len(orders), -1), *joined)


def stretch(*, resident: bool) -> int:
  """Returns how many batches one call answers: on accelerators many, as a scan of the state.

  On a CPU, where a scan makes convolutions many times slower, and where rows travel, it is one.
  """
  return LONGEST if resident and parallel.is_accelerator() else 1


def renewed(start: TrainState, now: TrainState) -> TrainState:
  """Returns the state that a stream began with; what is random goes on by its step."""
  return start.replace(step=now.step)


def begin(stream: Stream, devices: Parallel, *, together: bool) -> list[TrainState]:
  """Returns the states before the stream, on all devices: the networks, and the method's own."""

  def state(variables: Variables, seed: int) -> TrainState:
    params = {group: variables['params'][group] for group in ('extractor', 'head')}
    network = network_variables(params, variables)
    states = {name: tree for name, tree in network.items() if name != 'params'}
    states |= stream.method.initial_states(network)
    moments = optimizer_states(stream.optimizer, params)
    return TrainState(jnp.int32(0), jnp.int32(seed), params, states, moments)

  own = [state(*pair) for pair in zip(stream.variables, stream.seeds, strict=True)]
  return seeds_lib.unstack(devices, seeds_lib.stack(own, together=False), together=together)


def _step_of(stream: Stream, inputs: Inputs) -> Callable[..., Any]:
  """Returns the program of some batches: `((state, start), arrays, feeds) -> (state, answers)`.

  The answers of both networks are `[batches, batch, classes]`. It serves all domains, since what
  `inputs` adds to their arrays is the same.
  """
  total = sum(map(stream.batches, stream.splits))
  method, optimizer = stream.method, stream.optimizer

  def step(start: TrainState, arrays: Any, state: TrainState, feed: Any) -> Any:
    state = renewed(start, state) if stream.reset == 'batch' else state
    batch = inputs.batch(arrays, feed, Context(state.step, state.seed, total))
    plain = method.apply(
      start.variables, batch.target.inputs, batch.target.domain, train=False, method='forward'
    )
    state, answers = online_step(
      state, batch, method=method, optimizer=optimizer, total_steps=total
    )
    return state, jax.tree.map(axis.gather, (answers, plain.logits))

  def steps(pair: tuple[TrainState, TrainState], arrays: Any, feeds: Any) -> Any:
    state, start = pair
    one = functools.partial(step, start, arrays)
    if len(jax.tree.leaves(feeds)[0]) > 1:
      return jax.lax.scan(one, state, feeds)
    state, answers = one(state, jax.tree.map(lambda x: x[0], feeds))
    return state, jax.tree.map(lambda x: x[None], answers)

  return steps


def _inputs(stream: Stream, split: Split, devices: Parallel, *, resident: bool) -> Inputs:
  """Returns the batches of one domain; of the labels it is told nothing."""
  method = stream.method
  return Inputs(
    {'target': Part((split,), method.spec.target_domain, labels=False)},
    batch_size=stream.batch_size,
    preprocessing=stream.preprocessing,
    views=method.views,
    parallel=devices,
    resident=resident,
  )


def _all_in_memory(splits: Sequence[Split]) -> bool:
  return all(isinstance(split.inputs, np.ndarray) for split in splits)
