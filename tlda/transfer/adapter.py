"""Adapters: the backbone stays, and small networks between its layers learn."""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn

from tlda.errors import UserError
from tlda.models.adapters import ADAPTERS, Adapters
from tlda.transfer.strategy import Leaf, Strategy, has_part


@dataclasses.dataclass(frozen=True)
class Adapter(Strategy):
  """Freezes the backbone, and adds a bottleneck adapter behind each of its layers (`Adapters`).

  Houlsby et al.: *Parameter-Efficient Transfer Learning for NLP* (ICML 2019), who try widths from 2
  to 256, and move the normalisation layers as well. Adapters cannot be merged into the backbone's
  weights.

  Attributes:
    width: The width of the adapters.
  """

  normalization: ClassVar[str | None] = 'frozen'

  width: int = 32

  def moves(self, leaf: Leaf) -> bool:
    """Tells whether the parameter is new."""
    return leaf.is_new

  def network(self, backbone: nn.Module) -> nn.Module:
    """Returns the backbone with adapters."""
    if self.width < 1:
      raise UserError(f'--adapter.width must be 1 or above, not {self.width}')
    return Adapters(backbone, self.width)

  def check(self, leaves: Sequence[Leaf]) -> None:
    """Refuses a backbone of a single layer."""
    if not has_part(leaves, ADAPTERS):
      raise UserError('the backbone has one layer: there is no place for --transfer=adapter')
