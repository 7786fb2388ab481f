"""Feature extraction: the backbone stays, and what is new learns on its features."""

import dataclasses
from typing import ClassVar

from tlda.transfer.strategy import Leaf, Strategy


@dataclasses.dataclass(frozen=True)
class LinearProbe(Strategy):
  """Freezes the backbone, its batch statistics too. With a linear head it is a linear probe."""

  normalization: ClassVar[str | None] = 'frozen'

  def moves(self, leaf: Leaf) -> bool:
    """Tells whether the parameter is new."""
    return leaf.is_new
