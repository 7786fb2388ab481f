"""A method on the small problem, held still: its state, one batch, and what it makes of them."""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.problem import BATCH, make_run
from tlda.methods import Batch, Context, Method, Terms
from tlda.methods.method import STAGES, States
from tlda.training import checkpoint
from tlda.training.fit import Trainer
from tlda.training.parallel import Parallel
from tlda.training.state import TrainState
from tlda.training.step import Logs, train_step

TOTAL = 4


@dataclasses.dataclass(frozen=True)
class Probe:
  """All that a step is a function of, on one device."""

  trainer: Trainer
  method: Method
  state: TrainState
  batch: Batch
  context: Context

  def but(
    self, *, at: int | None = None, batch: Batch | None = None, turn: int = 0, **others: Any
  ) -> 'Probe':
    """Returns this probe with something else in its place.

    Args:
      at: The training step, of `TOTAL`.
      batch: The batch.
      turn: The phases that went before.
      **others: Fields of the method, 'params', and other collections.
    """
    at = int(self.state.step) if at is None else at
    known = {field.name for field in dataclasses.fields(self.method)}
    fields = {name: others.pop(name) for name in known & others.keys()}
    params = others.pop('params', self.state.params)
    states = {**self.state.states, **others}
    return dataclasses.replace(
      self,
      method=self.method.clone(**fields),
      state=self.state.replace(step=jnp.int32(at), params=params, states=states),
      batch=batch or self.batch,
      context=Context(np.int32(at), np.int32(0), TOTAL, turn),
    )

  def run(self, objective: str = 'objective') -> tuple[Terms, States]:
    """Returns the terms of an objective, and the states that it writes."""
    state = self.state
    return _run(state.params, state.states, self.batch, self.context, self.method, objective)

  def terms(self, objective: str = 'objective') -> Terms:
    """Returns the terms of an objective."""
    return self.run(objective)[0]

  def slope(self, term: str, objective: str = 'objective') -> Any:
    """Returns the gradient of one term, by parameter group."""
    return _slope(
      self.state.params,
      self.state.states,
      self.batch,
      self.context,
      self.method,
      objective,
      term,
    )

  def apply(self, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Applies a method of the network, by name or as a function; what it writes is dropped."""
    options = {'method': function, 'mutable': list(self.state.states)}
    return self.method.apply(self.state.variables, *args, **options, **kwargs)[0]

  def outputs(self) -> Any:
    """Returns features and logits of each part of the batch, as in training."""
    return self.apply('outputs', self.batch)

  def forward(self, inputs: Any, domain: Any) -> Any:
    """Returns features and logits of inputs, with the batch statistics of these."""
    return self.apply('forward', inputs, domain, train=True)

  def batch_of(self, step: int) -> Batch:
    """Returns the batch of a training step."""
    inputs, context = self.trainer._inputs, Context(np.int32(step), np.int32(0), TOTAL)
    return inputs.batch(inputs.arrays, jax.tree.map(lambda x: x[0], inputs.feed(0, step)), context)

  def step(self) -> tuple[TrainState, Logs]:
    """Returns the state after a training step on this batch, and what it logs."""
    optimizer = self.trainer._run.optimizer
    return _step(self.state, self.batch, method=self.method, optimizer=optimizer, total_steps=TOTAL)

  def train(self, steps: int = 1) -> TrainState:
    """Returns the state after some training steps, each on a batch of its own."""
    here = self
    for step in range(int(self.state.step), int(self.state.step) + steps):
      here = dataclasses.replace(here, batch=self.batch_of(step))
      here = dataclasses.replace(here, state=here.step()[0])
    return here.state


def probe(cls: type[Method], folder: Path, *, at: int = 0, **options: Any) -> Probe:
  """Returns a method with fresh weights and its first batch, at step `at` of `TOTAL`.

  Args:
    cls: The method.
    folder: Of its run.
    at: How many training steps it should believe to have made.
    **options: Of `make_run`, such as fields of the method.
  """
  devices = Parallel('pmap', BATCH, jax.devices()[:1])
  trainer = Trainer(make_run(cls, folder, steps=TOTAL, **options), devices)
  state = jax.tree.map(jnp.array, trainer._created()[0])
  context = Context(np.int32(0), np.int32(0), TOTAL)
  here = Probe(trainer, trainer._run.method, state, Batch(), context)
  return here.but(at=at, batch=here.batch_of(0))


_step = jax.jit(train_step, static_argnames=('method', 'optimizer', 'total_steps'))


@functools.partial(jax.jit, static_argnames=('method', 'objective'))
def _run(
  params: Any, states: Any, batch: Batch, context: Context, method: Method, objective: str
) -> tuple[Terms, States]:
  options = {'mutable': [*states, STAGES], 'rngs': {'dropout': jax.random.key(0)}}
  variables = {'params': params, **states}
  terms, written = method.apply(variables, batch, context, method=objective, **options)
  return terms, {name: value for name, value in written.items() if name != STAGES}


@functools.partial(jax.jit, static_argnames=('method', 'objective', 'term'))
def _slope(
  params: Any,
  states: Any,
  batch: Batch,
  context: Context,
  method: Method,
  objective: str,
  term: str,
) -> Any:
  value = lambda params: _run(params, states, batch, context, method, objective)[0][term]
  return jax.grad(value)(params)


def assert_close(found: Any, expected: Any, *, rtol: float = 1e-4, atol: float = 1e-7) -> None:
  """Compares two trees of arrays."""
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=atol), found, expected)


def same(found: Any, expected: Any) -> bool:
  """Tells whether two trees of arrays are equal, bit for bit."""
  return all(map(np.array_equal, jax.tree.leaves(found), jax.tree.leaves(expected)))


def largest(tree: Any) -> float:
  """Returns the largest size of any number in a tree."""
  return max(float(np.abs(leaf).max()) for leaf in jax.tree.leaves(tree))


def moved(before: Any, after: Any) -> set[str]:
  """Returns the top-level groups of which any array differs."""
  old, new = checkpoint.flatten(before), checkpoint.flatten(after)
  return {name.split('.')[0] for name in old if not np.array_equal(old[name], new[name])}


def softmax(logits: Any) -> np.ndarray:
  """Returns float64 probabilities of `[batch, classes]` logits."""
  shifted = np.exp(np.asarray(logits, np.float64) - np.max(logits, axis=1, keepdims=True))
  return shifted / shifted.sum(axis=1, keepdims=True)
