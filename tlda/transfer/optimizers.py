"""Optimizers by name. Their rate is a function of the training step, never of a count of their own.

A method may move one part of the network several times a step, another once: a count of updates
would run their schedules apart. So the step is handed to the update, `update(..., step=step)`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from tlda.errors import UserError, nearest
from tlda.transfer.schedules import Schedule
from tlda.transfer.strategy import Layers, Locate, Strategy, locator, path_of

EVERYTHING = Strategy()

Transformation = optax.GradientTransformationExtraArgs


class Optimizer(NamedTuple):
  """What moves the weights of one parameter group after another.

  Attributes:
    init: From `{group: parameters}`, None in place of what never moves, to the group's state.
    update: `(gradients, state, parameters, step=) -> (updates, state)`.
    moves: Tells of a parameter's path whether it ever moves.
  """

  init: Callable[[optax.Params], optax.OptState]
  update: Callable[..., tuple[optax.Updates, optax.OptState]]
  moves: Callable[[str], bool]


def scale_by_training_step(
  schedule: Schedule, strategy: Strategy, locate: Locate, total_steps: int
) -> Transformation:
  """Multiplies updates by `-schedule(step)` and by the strategy's rate of each parameter.

  The training step is an argument of the update, `step`.
  """

  def scale(updates: optax.Updates, step: jax.Array) -> optax.Updates:
    base, progress = -schedule(step), step / total_steps
    rate = lambda keys: base * strategy.rate(locate(path_of(keys)), progress)
    return jax.tree.map_with_path(lambda keys, u: (rate(keys) * u).astype(u.dtype), updates)

  return _stateless(scale)


def _while_moving(
  inner: optax.GradientTransformation, strategy: Strategy, locate: Locate, total_steps: int
) -> Transformation:
  """Runs an optimizer on each parameter by itself, and only while the strategy's rate is not 0.

  So neither gradients nor weight decay of what is held go into a moment, and Adam counts the
  updates of each parameter from its first: of moments of 0 with the count of all others it would
  make first updates up to 6.5 times too large.
  """

  def update(
    updates: optax.Updates,
    state: optax.OptState,
    params: optax.Params | None = None,
    *,
    step: jax.Array,
    **extra_args: object,
  ) -> tuple[optax.Updates, optax.OptState]:
    del extra_args

    def one(keys: object, gradient: jax.Array, own: optax.OptState, w: jax.Array) -> Any:
      waits = strategy.rate(locate(path_of(keys)), step / total_steps) == 0
      found, new = inner.update(gradient, own, w)
      keep = lambda old, new: jnp.where(waits, old, new)
      return keep(jnp.zeros_like(found), found), jax.tree.map(keep, own, new)

    pairs = jax.tree.map_with_path(one, updates, state, params)
    pick = lambda place: jax.tree.map(lambda _, pair: pair[place], updates, pairs)
    return pick(0), pick(1)

  return Transformation(lambda params: jax.tree.map(inner.init, params), update)


def _stateless(function: Callable[[optax.Updates, jax.Array], optax.Updates]) -> Transformation:
  def update(
    updates: optax.Updates,
    state: optax.OptState,
    params: optax.Params | None = None,
    *,
    step: jax.Array,
    **extra_args: object,
  ) -> tuple[optax.Updates, optax.OptState]:
    del params, extra_args
    return function(updates, step), state

  return Transformation(lambda params: optax.EmptyState(), update)


def _sgd(momentum: float) -> optax.GradientTransformation:
  return optax.trace(decay=momentum) if momentum else optax.identity()


_MOMENTS = {
  'sgd': _sgd,
  'nesterov': lambda momentum: optax.trace(decay=momentum, nesterov=True),
  'adam': lambda momentum: optax.scale_by_adam(b1=momentum),
  'adamw': lambda momentum: optax.scale_by_adam(b1=momentum),
}


def names() -> list[str]:
  """Returns the names of all optimizers, sorted."""
  return sorted(_MOMENTS)


def optimizer(
  name: str,
  schedule: Schedule,
  total_steps: int,
  *,
  momentum: float = 0.9,
  weight_decay: float = 0.0,
  strategy: Strategy = EVERYTHING,
  layers: Layers = (),
) -> Optimizer:
  """Returns an optimizer by its name.

  Args:
    name: One of `names()`.
    schedule: The learning rate as a function of the training step.
    total_steps: The planned length of the training.
    momentum: Of SGD; the decay of the first moment of Adam.
    weight_decay: Times the weights; added to the gradient (an L2 penalty), for `adamw` to the
      scaled update (Loshchilov and Hutter, 2019).
    strategy: Which weights move, and how fast.
    layers: The names of the backbone's parts, layer by layer.

  Returns:
    An optimizer whose `update` takes the training step as `step=`.

  Raises:
    UserError: No optimizer has this name.
  """
  if name not in _MOMENTS:
    raise UserError(nearest('optimizer', name, names()))
  locate = locator(layers)
  parts = [_MOMENTS[name](momentum)]
  if weight_decay:
    decay = optax.add_decayed_weights(weight_decay)
    parts.insert(1 if name == 'adamw' else 0, decay)
  moments = optax.chain(*parts)
  if strategy.waits:
    moments = _while_moving(moments, strategy, locate, total_steps)
  chain = optax.chain(
    strategy.penalty(locate),
    moments,
    scale_by_training_step(schedule, strategy, locate, total_steps),
  )
  return Optimizer(chain.init, chain.update, lambda path: strategy.moves(locate(path)))
