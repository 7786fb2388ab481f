"""Optimizers by name. Their rate is a function of the training step, never of a count of their own.

A method may move one part of the network several times a step, another once: a count of updates
would run their schedules apart. So the step is handed to the update, `update(..., step=step)`.
"""

import jax
import optax

from tlda.errors import UserError, nearest
from tlda.transfer.schedules import Schedule

Transformation = optax.GradientTransformationExtraArgs


def scale_by_training_step(schedule: Schedule) -> Transformation:
  """Multiplies updates by `-schedule(step)`, where `step` is an argument of the update."""

  def update(
    updates: optax.Updates,
    state: optax.OptState,
    params: optax.Params | None = None,
    *,
    step: jax.Array,
    **extra_args: object,
  ) -> tuple[optax.Updates, optax.OptState]:
    del params, extra_args
    rate = schedule(step)
    return jax.tree.map(lambda u: (-rate * u).astype(u.dtype), updates), state

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
  name: str, schedule: Schedule, *, momentum: float = 0.9, weight_decay: float = 0.0
) -> Transformation:
  """Returns an optimizer by its name.

  Args:
    name: One of `names()`.
    schedule: The learning rate as a function of the training step.
    momentum: Of SGD; the decay of the first moment of Adam.
    weight_decay: Times the weights; added to the gradient (an L2 penalty), for `adamw` to the
      scaled update (Loshchilov and Hutter, 2019).

  Returns:
    A transformation whose `update` takes the training step as `step=`.

  Raises:
    UserError: No optimizer has this name.
  """
  if name not in _MOMENTS:
    raise UserError(nearest('optimizer', name, names()))
  parts = [_MOMENTS[name](momentum)]
  if weight_decay:
    decay = optax.add_decayed_weights(weight_decay)
    parts.insert(1 if name == 'adamw' else 0, decay)
  return optax.chain(*parts, scale_by_training_step(schedule))
