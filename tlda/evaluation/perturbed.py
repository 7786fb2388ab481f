"""Derivatives with respect to what a network computes on its way, without a change to it.

Flax hands intermediate values out (`sow`) but takes none in. The program that JAX traces has them
by name, so that something can be added to one of them while the program runs again.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.extend.core import Literal, Var

from tlda.errors import UserError

Perturbed = Callable[[Sequence[Any], jax.Array, jax.Array], list[jax.Array]]


def perturbed(
  function: Callable[[jax.Array], Any], inputs: jax.Array, place: int
) -> tuple[Perturbed, Sequence[Any]]:
  """Opens a function at one of the values that it returns beside those that follow from it.

  Args:
    function: Of one array; traced here for arrays like `inputs`.
    inputs: The array.
    place: Which leaf of its outputs is the value.

  Returns:
    `(constants, inputs, shift) -> leaves of the outputs`, where `shift` is added to the value as
    soon as it is computed and counts in all that follows; and the constants, arrays that the
    function has closed over (weights).

  Raises:
    UserError: Nothing is computed from the value.
  """
  program = jax.make_jaxpr(function)(inputs)
  value = program.jaxpr.outvars[place]
  equations = program.jaxpr.eqns
  if not any(value in equation.outvars for equation in equations) or not any(
    value is variable for equation in equations for variable in equation.invars
  ):
    raise UserError('what this stage sows is no part of the way to the logits')
  run = lambda constants, inputs, shift: _evaluate(program, value, constants, inputs, shift)
  return run, program.consts


def _evaluate(
  program: Any, value: Var, constants: Sequence[Any], inputs: jax.Array, shift: jax.Array
) -> list[jax.Array]:
  """Runs a traced program of one input, with a shift of one of its values."""
  given = [*program.jaxpr.constvars, *program.jaxpr.invars]
  known = dict(zip(given, [*constants, inputs], strict=True))
  read = lambda variable: variable.val if isinstance(variable, Literal) else known[variable]
  for equation in program.jaxpr.eqns:
    parameters = equation.primitive.get_bind_params(equation.params)
    found = equation.primitive.bind(*map(read, equation.invars), **parameters)
    results = found if equation.primitive.multiple_results else [found]
    known.update(zip(equation.outvars, results, strict=True))
    if value in equation.outvars:
      known[value] = known[value] + shift
  return [read(variable) for variable in program.jaxpr.outvars]
