"""LoRA: the backbone stays, and products of low rank beside its linear maps learn."""

import dataclasses
import re
from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn

from tlda.errors import UserError, nearest
from tlda.models.low_rank import PRODUCTS, LowRank
from tlda.transfer.strategy import Leaf, Strategy, has_part, pattern


@dataclasses.dataclass(frozen=True)
class LoRA(Strategy):
  """Freezes the backbone, and adds to its linear maps what learns (`LowRank`).

  Hu et al.: *LoRA: Low-Rank Adaptation of Large Language Models* (ICLR 2022), who adapt the queries
  and values of attention (a pattern such as 'query|value'). The folder of a run is read as weights
  with the products merged into the backbone's kernels: --weights=FOLDER.

  Attributes:
    rank: The width between the two factors.
    alpha: The product is multiplied by alpha / rank.
    pattern: A regular expression; layers in whose path below the backbone it is found are
      adapted. Left empty, all are.
  """

  normalization: ClassVar[str | None] = 'frozen'

  rank: int = 8
  alpha: float = 16.0
  pattern: str = ''

  def moves(self, leaf: Leaf) -> bool:
    """Tells whether the parameter is new."""
    return leaf.is_new

  def network(self, backbone: nn.Module) -> nn.Module:
    """Returns the backbone with products beside its linear maps."""
    if self.rank < 1:
      raise UserError(f'--lora.rank must be 1 or above, not {self.rank}')
    if self.alpha <= 0:
      raise UserError(f'--lora.alpha must be above 0, not {self.alpha}')
    pattern('lora.pattern', self.pattern)
    return LowRank(backbone, self.rank, self.alpha, self.pattern)

  def check(self, leaves: Sequence[Leaf]) -> None:
    """Refuses a pattern that no linear map has."""
    if has_part(leaves, PRODUCTS):
      return
    kernels = [leaf.path for leaf in leaves if leaf.path.endswith('/kernel') and not leaf.is_new]
    if any(re.search(self.pattern, path) for path in kernels):
      raise UserError(
        f'--lora.pattern={self.pattern} names no dense layer or ungrouped convolution: only to '
        'these can --transfer=lora add anything'
      )
    known = {part for path in kernels for part in path.split('/')[1:-1]} - {'backbone'}
    raise UserError(f'{nearest("part of the backbone", self.pattern, known)}; --dry_run lists them')
