"""One training step, a pure function: `(state, batch) -> (state, logs)`.

It knows the mapped axis and nothing else of devices: gradients are those of the local loss,
followed by an explicit mean over devices.
"""

import jax
import jax.numpy as jnp
import optax

from tlda import axis
from tlda.methods import Batch, Context, Method, Phase, Terms
from tlda.methods.method import STAGES, Params, States, is_watched, random_keys
from tlda.training.state import RATE, TrainState, with_settings
from tlda.transfer import Optimizer, freezing

Logs = dict[str, jax.Array]


def train_step(
  state: TrainState, batch: Batch, *, method: Method, optimizer: Optimizer, total_steps: int
) -> tuple[TrainState, Logs]:
  """Runs all phases of a method on one batch.

  Args:
    state: Before the step, the same on every device.
    batch: The examples on this device.
    method: The method.
    optimizer: What moves each parameter group.
    total_steps: The planned length of the training.

  Returns:
    The state after the step, and scalars: each term under `loss/TERM` (`loss/PHASE/TERM` where the
    method has several phases), what is only watched under its own name, `monitor/...`, and the
    norms of gradients, parameters and updates.
  """
  method = with_settings(method, state.settings)
  before, gradients, logs, turn = state.params, [], {}, 0
  phases = method.phases()
  for phase in phases:
    for _ in range(phase.repeats):
      context = Context(state.step, state.seed, total_steps, turn)
      state, grads, terms = _run(state, batch, phase, context, method, optimizer)
      gradients.append(optax.tree.norm(grads))
      turn += 1
    prefix = f'loss/{phase.name}/' if len(phases) > 1 else 'loss/'
    logs |= {name if is_watched(name) else prefix + name: value for name, value in terms.items()}
  context = Context(state.step, state.seed, total_steps, turn)
  changed = method.after_update(state.variables, context)
  params = changed.get('params', state.params)
  states = {**state.states, **{name: value for name, value in changed.items() if name != 'params'}}
  state = state.replace(params=params)
  logs['norm/gradients'] = optax.tree.norm(gradients)
  logs['norm/parameters'] = optax.tree.norm(state.params)
  logs['norm/updates'] = optax.tree.norm(jax.tree.map(jnp.subtract, state.params, before))
  return state.replace(step=state.step + 1, states=states), logs


def _run(
  state: TrainState,
  batch: Batch,
  phase: Phase,
  context: Context,
  method: Method,
  optimizer: Optimizer,
) -> tuple[TrainState, Params, Terms]:
  """Moves the groups of one phase once; returns the state, and mean gradients and terms."""
  groups = tuple(state.params) if phase.trains is None else phase.trains
  trained = {group: state.params[group] for group in groups}
  moving, still = freezing.split(trained, optimizer.moves)

  def objective(moving: Params, batch: Batch) -> tuple[jax.Array, tuple[Terms, States]]:
    terms, states = method.apply(
      {'params': {**state.params, **freezing.merge(moving, still)}, **state.states},
      batch,
      context,
      method=phase.objective,
      rngs=random_keys(context),
      mutable=[*state.states, STAGES],
    )
    states.pop(STAGES, None)
    minimised = [value for name, value in terms.items() if not is_watched(name)]
    return sum(minimised, jnp.float32(0)), (terms, states)

  grads, (terms, states) = method.gradients(objective, moving, batch)
  grads, terms = axis.mean((grads, terms))
  if not phase.keeps_statistics:
    states = {name: value for name, value in states.items() if name != 'batch_stats'}
  moments = dict(state.optimizer)
  for group in groups:
    own = {group: moving[group]}
    updates, moments[group] = optimizer.update(
      {group: grads[group]}, moments[group], own, step=state.step
    )
    if RATE in state.settings:
      updates = optax.tree.scale(state.settings[RATE], updates)
    moving |= optax.apply_updates(own, updates)
  params = {**state.params, **freezing.merge(moving, still)}
  states = {**state.states, **states}
  return state.replace(params=params, states=states, optimizer=moments), grads, terms
