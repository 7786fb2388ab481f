"""Feature extraction: the backbone stays, and what is new learns on its features."""

import dataclasses
from typing import ClassVar

import flax.linen as nn

from tlda.transfer.strategy import Leaf, Strategy


@dataclasses.dataclass(frozen=True)
class LinearProbe(Strategy):
  """Freezes the backbone, its batch statistics too. With a linear head it is a linear probe.

  Nothing of the backbone is dropped out: what is new learns on the features that predict, so that
  features that were extracted once serve as well.
  """

  normalization: ClassVar[str | None] = 'frozen'

  def moves(self, leaf: Leaf) -> bool:
    """Tells whether the parameter is new."""
    return leaf.is_new

  def network(self, backbone: nn.Module) -> nn.Module:
    """Returns the backbone without dropout."""
    return backbone.clone(dropout=0.0) if hasattr(backbone, 'dropout') else backbone
