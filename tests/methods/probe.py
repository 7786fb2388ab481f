"""A method on the small problem, held still: its state, one batch, and the slopes of its terms."""

import functools
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from tests.problem import BATCH, make_run
from tlda.methods import Batch, Context, Method, Terms
from tlda.training.fit import Trainer
from tlda.training.parallel import Parallel
from tlda.training.state import TrainState
from tlda.training.step import Logs, train_step
from tlda.transfer.optimizers import Transformation

TOTAL = 4


class Probe(NamedTuple):
  """A method on one device, at a step of its training."""

  method: Method
  state: TrainState
  batch: Batch
  context: Context
  optimizer: Transformation

  def terms(self, params: Any = None, objective: str = 'objective', **fields: Any) -> Terms:
    """Returns the terms of an objective, under other weights or fields if need be."""
    params = self.state.params if params is None else params
    method = self.method.clone(**fields)
    return _terms(params, self.state.states, self.batch, self.context, method, objective)

  def slope(self, term: str, objective: str = 'objective', **fields: Any) -> Any:
    """Returns the gradient of a term for all weights."""
    method = self.method.clone(**fields)
    params, states = self.state.params, self.state.states
    return _slope(params, states, self.batch, self.context, method, objective, term)

  def step(self, method: Method | None = None) -> tuple[TrainState, Logs]:
    """Makes one training step, of the method or of a relative with the same weights."""
    return _step(
      self.state,
      self.batch,
      method=method or self.method,
      optimizer=self.optimizer,
      total_steps=TOTAL,
    )


_step = jax.jit(train_step, static_argnames=('method', 'optimizer', 'total_steps'))


@functools.partial(jax.jit, static_argnames=('method', 'objective'))
def _terms(
  params: Any, states: Any, batch: Batch, context: Context, method: Method, objective: str
) -> Terms:
  terms, _ = method.apply(
    {'params': params, **states},
    batch,
    context,
    method=objective,
    mutable=list(states),
    rngs={'dropout': jax.random.key(0)},
  )
  return terms


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
  value = lambda params: _terms(params, states, batch, context, method, objective)[term]
  return jax.grad(value)(params)


def probe(cls: type[Method], folder: Path, step: int = 2, **fields: Any) -> Probe:
  """Returns a method on one device, with fresh weights, before training step `step` of `TOTAL`."""
  devices = Parallel('pmap', BATCH, jax.devices()[:1])
  trainer = Trainer(make_run(cls, folder, steps=TOTAL, **fields), devices)
  run, inputs = trainer._run, trainer._inputs
  state = jax.tree.map(jnp.array, trainer._created()[0]).replace(step=jnp.int32(step))
  context = Context(np.int32(step), np.int32(0), TOTAL)
  feed = jax.tree.map(lambda x: x[0], inputs.feed(0, step))
  batch = inputs.batch(inputs.arrays, feed, context)
  return Probe(run.method, state, batch, context, run.optimizer)


def assert_close(found: Any, expected: Any, *, rtol: float = 1e-4, atol: float = 1e-7) -> None:
  """Compares two trees of arrays."""
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=atol), found, expected)


def same(found: Any, expected: Any) -> bool:
  """Tells whether two trees of arrays are equal, bit for bit."""
  return all(map(np.array_equal, jax.tree.leaves(found), jax.tree.leaves(expected)))


def largest(tree: Any) -> float:
  """Returns the largest size of any number in a tree."""
  return max(float(np.abs(leaf).max()) for leaf in jax.tree.leaves(tree))
