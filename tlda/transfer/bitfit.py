"""BitFit: of the backbone only the biases move."""

import dataclasses
from typing import ClassVar

from tlda.transfer.strategy import Leaf, Strategy


@dataclasses.dataclass(frozen=True)
class BitFit(Strategy):
  """Moves the biases of the backbone and everything that is new.

  Zaken, Goldberg, Ravfogel: *BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based
  Masked Language-models* (ACL 2022). The biases of normalisation layers are among them.
  """

  normalization: ClassVar[str | None] = 'frozen'

  def moves(self, leaf: Leaf) -> bool:
    """Tells whether the parameter is new or a bias."""
    return leaf.is_new or leaf.path.endswith('/bias')
