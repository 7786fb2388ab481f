"""A method at the start of the small problem, to be taken apart by hand."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.problem import BATCH, make_run
from tlda.methods import Batch, Context, Method, Terms
from tlda.training.fit import Trainer
from tlda.training.parallel import Parallel
from tlda.training.state import TrainState


@dataclasses.dataclass(frozen=True)
class FirstStep:
  """All that a step is a function of, on one device."""

  trainer: Trainer
  method: Method
  state: TrainState
  batch: Batch
  context: Context

  @property
  def variables(self) -> dict[str, Any]:
    return self.state.variables

  def terms(self, **changed: Any) -> tuple[Terms, dict[str, Any]]:
    """Returns the terms and the states that the objective writes.

    Args:
      **changed: Collections, `batch` or `context`, in place of those of the first step.
    """
    batch, context = changed.pop('batch', self.batch), changed.pop('context', self.context)
    variables = jax.tree.map(jnp.asarray, {**self.variables, **changed})
    written = [name for name in variables if name != 'params']
    return self.method.apply(variables, batch, context, method='objective', mutable=written)

  def outputs(self, inputs: jax.Array, domain: jax.Array) -> Any:
    """Returns features and logits of inputs as in training, with the batch statistics of these."""
    written = [name for name in self.variables if name != 'params']
    options = {'method': 'forward', 'mutable': written}
    return self.method.apply(self.variables, inputs, domain, train=True, **options)[0]

  def train(self, steps: int = 1) -> TrainState:
    """Returns the state after some steps."""
    states = self.trainer._created()
    for step in range(steps):
      states = self.trainer._domain_passes(states, step)
      states, _ = self.trainer._train(states, [self.trainer._inputs.feed(0, step)])
    return states[0]


def first_step(cls: type[Method], folder: Path, *, at: int = 0, **options: Any) -> FirstStep:
  """Returns a method with its first batch, at step `at` of 4."""
  trainer = Trainer(make_run(cls, folder, **options), Parallel('pmap', BATCH, jax.devices()[:1]))
  feed = jax.tree.map(lambda x: x[0], trainer._inputs.feed(0, 0))
  context = Context(np.int32(at), np.int32(0), 4)
  batch = trainer._inputs.batch(trainer._inputs.arrays, feed, context)
  return FirstStep(trainer, trainer._run.method, trainer._created()[0], batch, context)
