"""What several methods share: the network as training began, frozen, to be held to."""

from collections.abc import Callable
from typing import Any, ClassVar

import jax

from tlda.methods.batch import Examples
from tlda.methods.method import STAGES, States, Variables
from tlda.methods.target_only import TargetOnly


class Referenced(TargetOnly):
  """Training on the labelled target that is held to the weights that it starts from.

  The collection 'reference' has these weights, and their running batch statistics. They are those
  of the very start (published, of a finished run, or drawn), also where that run had a reference of
  its own.

  Class attributes:
    held: The parameter groups that the reference has.
  """

  held: ClassVar[tuple[str, ...]] = ('extractor',)

  def initial_states(self, variables: Variables) -> States:
    """Returns the reference: the held groups before any step."""
    own = lambda tree: {group: tree[group] for group in self.held if group in tree}
    return {'reference': {name: own(tree) for name, tree in variables.items()}}

  def referred(self, function: Callable[..., Any], examples: Examples) -> Any:
    """Applies a function of the network and its inputs to the reference, as in prediction.

    Args:
      function: `(method, inputs, domain) -> arrays`, which calls `method.forward` without `train`.
      examples: A flat batch.

    Returns:
      What the function returns, without a gradient.
    """
    variables = {
      name: {**self.variables[name], **held} for name, held in self.variables['reference'].items()
    }
    arguments = (examples.inputs, examples.domain)
    # What the stages sow is to be read by the function, and nothing else is written.
    seen, _ = self.detached().apply(variables, *arguments, method=function, mutable=[STAGES])
    return jax.lax.stop_gradient(seen)
