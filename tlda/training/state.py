"""The state of one run with one seed: everything that a checkpoint must hold."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from tlda.methods import Batch, Context, Method, initialize
from tlda.methods.method import Params
from tlda.transfer import Optimizer, freezing


@struct.dataclass
class TrainState:
  """What a training step reads and returns.

  Attributes:
    step: int32 scalar, the steps that were done.
    seed: int32 scalar, the seed of initial weights, noise and order of examples.
    params: Parameters by top-level group ('extractor', 'head', 'domain_classifier', ...).
    states: All other collections: running batch statistics, teachers, banks.
    optimizer: The optimizer's state of each parameter group.
  """

  step: jax.Array
  seed: jax.Array
  params: dict[str, Any]
  states: dict[str, Any]
  optimizer: dict[str, Any]

  @property
  def variables(self) -> dict[str, Any]:
    """The variables that a linen module is applied to."""
    return {'params': self.params, **self.states}


def create(
  method: Method, optimizer: Optimizer, batch: Batch, seed: jax.Array, total_steps: int
) -> TrainState:
  """Returns the state at step 0, a pure function of the seed.

  Args:
    method: The method.
    optimizer: What moves each parameter group.
    batch: Examples of the right shapes.
    seed: int32 scalar.
    total_steps: The planned length of the training.
  """
  step = jnp.int32(0)
  params, states = initialize(method, batch, Context(step, seed, total_steps))
  return TrainState(step, seed, params, states, optimizer_states(optimizer, params))


def optimizer_states(optimizer: Optimizer, params: Params) -> dict[str, Any]:
  """Returns the optimizer's first state of each parameter group; of what never moves, none."""
  moving, _ = freezing.split(params, optimizer.moves)
  return {group: optimizer.init({group: tree}) for group, tree in moving.items()}
