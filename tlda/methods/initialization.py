"""The first parameters and states of a method."""

import jax
import jax.numpy as jnp
from flax.core import scope as core

from tlda.methods.batch import Batch, Context
from tlda.methods.method import KEYS, STAGES, Method, Params, States, Variables


def initialize(method: Method, batch: Batch, context: Context) -> tuple[Params, States]:
  """Creates the parameters of every part that any phase touches, and all states.

  The prediction path is initialised first, so that the method's own states (which may copy its
  weights) are there when its objectives are traced for the parameters that only they touch.

  Args:
    method: The method.
    batch: Examples of the right shapes; only these count.
    context: Of the run's seed, at step 0.

  Returns:
    Parameters by top-level group, and states by collection.
  """
  keys = {name: context.key(name) for name in ('params', *KEYS)}
  first = batch.parts()[0].flat()
  variables = method.init(keys, first.inputs, first.domain)
  params = variables.pop('params')
  own = method.initial_states(network_variables(params, variables))

  def touch_all(scope: core.Scope) -> None:
    bound = method.clone(parent=scope)
    for phase in method.phases():
      getattr(bound, phase.objective)(batch, context)

  touch = core.apply(touch_all, mutable=True, flags={'initializing': True})
  _, touched = touch({'params': params, **variables, **own}, rngs=keys)
  params = touched.pop('params')
  statistics = {name: value for name, value in touched.items() if name not in own}
  statistics.pop(STAGES, None)
  return params, {**statistics, **method.initial_states(network_variables(params, statistics))}


def network_variables(params: Params, states: States) -> Variables:
  """Returns what a method's own states are made of: parameters, and running batch statistics."""
  return {'params': params} | {name: states[name] for name in ('batch_stats',) if name in states}


def prediction_variables(method: Method) -> Variables:
  """Draws what the prediction path of a method reads: parameters, and all of its states.

  Groups that only an objective touches are not among them. The draw is always the same: these are
  the form of a network whose weights are to be read from a file.
  """
  keys = dict.fromkeys(('params', *KEYS), jax.random.key(0))
  inputs = method.spec.blank()
  variables = method.init(keys, inputs, jnp.zeros(1, jnp.int32))
  variables.pop(STAGES, None)
  own = method.initial_states(network_variables(variables['params'], variables))
  return {**variables, **own}
