"""A method's first step on the small problem, taken apart."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from tests.problem import BATCH, make_run
from tlda.methods import Batch, Context, Method
from tlda.training import checkpoint
from tlda.training.fit import Trainer
from tlda.training.parallel import Parallel
from tlda.training.run import Run
from tlda.training.state import TrainState
from tlda.training.step import train_step

STEPS = 4


class OneStep:
  """The first state and batch of a run on one device.

  Attributes:
    run: The run.
    state: At step 0.
    batch: Of step 0.
  """

  def __init__(self, folder: Path, cls: type[Method], **fields: Any) -> None:
    devices = Parallel('pmap', BATCH, jax.devices()[:1])
    self._trainer = Trainer(make_run(cls, folder, **fields), devices)
    self.run: Run = self._trainer._run
    self.state: TrainState = self._trainer._created()[0]
    self.batch = self.batch_of(0)

  def batch_of(self, step: int) -> Batch:
    inputs = self._trainer._inputs
    feed = jax.tree.map(lambda x: x[0], inputs.feed(0, step))
    return inputs.batch(inputs.arrays, feed, self.context(step))

  def context(self, step: int) -> Context:
    return Context(np.int32(step), np.int32(0), STEPS)

  def apply(self, method: str, *args: Any, params: Any = None, **kwargs: Any) -> Any:
    """Applies a method of the network, by name; what it writes is dropped."""
    variables = {'params': self.state.params if params is None else params, **self.state.states}
    options = {'method': method, 'mutable': list(self.state.states)}
    return self.run.method.apply(variables, *args, **options, **kwargs)[0]

  def terms(self, phase: str = 'objective', *, step: int = 0, params: Any = None) -> Any:
    """Returns the terms of a phase, as they would be at a later step too."""
    return self.apply(phase, self.batch, self.context(step), params=params)

  def gradient(self, term: str, phase: str = 'objective', *, step: int = 0) -> Any:
    """Returns the gradient of one term, by parameter group."""
    value = lambda params: self.terms(phase, step=step, params=params)[term]
    return jax.grad(value)(self.state.params)

  def after(self, steps: int = 1) -> TrainState:
    """Returns the state after the first step, or steps."""
    state, options = self.state, {'optimizer': self.run.optimizer, 'total_steps': STEPS}
    for step in range(steps):
      state, _ = train_step(state, self.batch_of(step), method=self.run.method, **options)
    return state


def moved(before: Any, after: Any) -> set[str]:
  """Returns the top-level groups of which any array differs."""
  old, new = checkpoint.flatten(before), checkpoint.flatten(after)
  return {name.split('.')[0] for name in old if not np.array_equal(old[name], new[name])}


def softmax(logits: Any) -> np.ndarray:
  """Returns float64 probabilities of `[batch, classes]` logits."""
  shifted = np.exp(np.asarray(logits, np.float64) - np.max(logits, axis=1, keepdims=True))
  return shifted / shifted.sum(axis=1, keepdims=True)
