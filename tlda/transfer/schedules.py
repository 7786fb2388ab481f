"""Learning rates over the planned training, as functions of the training step."""

from collections.abc import Callable

import jax
import optax

from tlda.errors import UserError, nearest

Schedule = Callable[[jax.Array], jax.Array]


def annealing(
  learning_rate: float, total_steps: int, alpha: float = 10.0, beta: float = 0.75
) -> Schedule:
  """Returns `learning_rate / (1 + alpha p)^beta`, p the share of the training that is done.

  Ganin et al. (2016), section 5.2.2, with their alpha and beta as defaults.
  """
  return lambda step: learning_rate / (1.0 + alpha * step / total_steps) ** beta


def constant(learning_rate: float, total_steps: int) -> Schedule:
  """Returns `learning_rate` at every step."""
  del total_steps
  return optax.constant_schedule(learning_rate)


def cosine(learning_rate: float, total_steps: int) -> Schedule:
  """Returns half a cosine from `learning_rate` to 0 (Loshchilov and Hutter, 2017)."""
  return optax.cosine_decay_schedule(learning_rate, total_steps)


_SCHEDULES = {'annealing': annealing, 'constant': constant, 'cosine': cosine}


def names() -> list[str]:
  """Returns the names of all schedules, sorted."""
  return sorted(_SCHEDULES)


def schedule(name: str, learning_rate: float, total_steps: int) -> Schedule:
  """Returns a schedule by its name.

  Args:
    name: One of `names()`.
    learning_rate: The rate at the start.
    total_steps: The planned length of the training.

  Raises:
    UserError: No schedule has this name.
  """
  if name not in _SCHEDULES:
    raise UserError(nearest('schedule', name, names()))
  return _SCHEDULES[name](learning_rate, total_steps)
