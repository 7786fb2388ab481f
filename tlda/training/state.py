"""The state of one run with one seed: everything that a checkpoint must hold."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from tlda.methods import Batch, Context, Method, initialize
from tlda.methods.method import Params
from tlda.transfer import Optimizer, freezing

# Among the settings of a state: what its learning rate is a multiple of is the optimizer's.
RATE = 'learning_rate'
NO_SETTINGS: Mapping[str, jax.Array] = MappingProxyType({})


@struct.dataclass
class TrainState:
  """What a training step reads and returns.

  Attributes:
    step: int32 scalar, the steps that were done.
    seed: int32 scalar, the seed of initial weights, noise and order of examples.
    params: Parameters by top-level group ('extractor', 'head', 'domain_classifier', ...).
    states: All other collections: running batch statistics, teachers, banks.
    optimizer: The optimizer's state of each parameter group.
    settings: What this run is trained with where a program serves several: float32 scalars by the
      name of a field of the method, or `RATE`. Empty where they are constants of the program.
  """

  step: jax.Array
  seed: jax.Array
  params: dict[str, Any]
  states: dict[str, Any]
  optimizer: dict[str, Any]
  settings: dict[str, jax.Array] = struct.field(default_factory=dict)

  @property
  def variables(self) -> dict[str, Any]:
    """The variables that a linen module is applied to."""
    return {'params': self.params, **self.states}


def with_settings(method: Method, settings: Mapping[str, jax.Array]) -> Method:
  """Returns a method whose fields have the values of a state's settings."""
  own = {name: value for name, value in settings.items() if name != RATE}
  return method.clone(**own) if own else method


def create(
  method: Method,
  optimizer: Optimizer,
  batch: Batch,
  seed: jax.Array,
  total_steps: int,
  settings: Mapping[str, jax.Array] = NO_SETTINGS,
) -> TrainState:
  """Returns the state at step 0, a pure function of the seed.

  Args:
    method: The method.
    optimizer: What moves each parameter group.
    batch: Examples of the right shapes.
    seed: int32 scalar.
    total_steps: The planned length of the training.
    settings: What the state is trained with, where that is no constant.
  """
  step, context = jnp.int32(0), Context(jnp.int32(0), seed, total_steps)
  params, states = initialize(with_settings(method, settings), batch, context)
  moments = optimizer_states(optimizer, params)
  return TrainState(step, seed, params, states, moments, dict(settings))


def optimizer_states(optimizer: Optimizer, params: Params) -> dict[str, Any]:
  """Returns the optimizer's first state of each parameter group; of what never moves, none."""
  moving, _ = freezing.split(params, optimizer.moves)
  return {group: optimizer.init({group: tree}) for group, tree in moving.items()}
