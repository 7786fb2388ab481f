"""Layer-wise learning rate decay: the nearer to the input, the slower."""

import dataclasses

import jax

from tlda.errors import UserError
from tlda.transfer.strategy import Leaf, Strategy, group_of


@dataclasses.dataclass(frozen=True)
class LayerDecay(Strategy):
  """Multiplies the rate by a factor for each layer between a weight and the head.

  Clark, Luong, Le, Manning: *ELECTRA* (ICLR 2020), who take .8 and .9; Bao et al. (*BEiT*, 2022),
  He et al. (*Masked Autoencoders*, 2022) .65 to .75 for vision transformers.

  Attributes:
    decay: The factor for each layer.
    groups: The number of equal groups of layers that share a rate; 0 gives each layer its own.
  """

  decay: float = 0.75
  groups: int = 0

  def rate(self, leaf: Leaf, progress: jax.Array) -> jax.Array | float:
    """Returns `decay ** (groups - group)`: 1 for what is new."""
    del progress
    if leaf.is_new:
      return 1.0
    groups = min(self.groups, len(leaf.layers)) or len(leaf.layers)
    return self.decay ** (groups - group_of(leaf, self.groups))

  def check(self, leaves: object) -> None:
    """Refuses a factor outside (0, 1], and a negative number of groups."""
    del leaves
    if not 0 < self.decay <= 1:
      raise UserError(f'the decay of the learning rate must be in (0, 1], not {self.decay}')
    if self.groups < 0:
      raise UserError(f'the number of groups of layers must be 0 or above, not {self.groups}')
