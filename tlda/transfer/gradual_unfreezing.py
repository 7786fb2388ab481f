"""Gradual unfreezing: the head learns first, then group by group towards the input."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp

from tlda.errors import UserError
from tlda.transfer.strategy import Leaf, Strategy, group_of


@dataclasses.dataclass(frozen=True)
class GradualUnfreezing(Strategy):
  """Unfreezes the backbone from its last group of layers to its first, at even intervals.

  Howard, Ruder: *Universal Language Model Fine-tuning* (ACL 2018), section 3.3: one group an epoch.
  Here group k of n from the top moves from progress `until * k / n` on, whatever the length. The
  rate is a function of the step, so that nothing is compiled again.

  Attributes:
    groups: The number of groups of the backbone; 0 gives each layer its own.
    until: The share of the training after which all weights move.
  """

  normalization: ClassVar[str | None] = 'frozen'
  waits: ClassVar[bool] = True

  groups: int = 4
  until: float = 0.5

  def rate(self, leaf: Leaf, progress: jax.Array) -> jax.Array | float:
    """Returns 1 where the group of a parameter is unfrozen, else 0."""
    if leaf.is_new:
      return 1.0
    groups = min(self.groups, len(leaf.layers)) or len(leaf.layers)
    waiting = groups - group_of(leaf, self.groups)
    return jnp.where(progress >= self.until * waiting / groups, 1.0, 0.0)

  def check(self, leaves: object) -> None:
    """Refuses a negative number of groups, and an end outside the training."""
    del leaves
    if self.groups < 0:
      raise UserError(f'--gradual_unfreezing.groups must be 0 or above, not {self.groups}')
    if not 0 <= self.until <= 1:
      raise UserError(f'--gradual_unfreezing.until must be in [0, 1], not {self.until}')
