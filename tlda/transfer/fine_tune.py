"""Fine-tuning: every weight moves."""

import dataclasses
import math

import jax

from tlda.errors import UserError
from tlda.transfer.strategy import Leaf, Strategy


@dataclasses.dataclass(frozen=True)
class FineTune(Strategy):
  """Moves every weight. Without pretrained weights this is training from scratch.

  Adaptation papers give the backbone a tenth of the rate of the new layers (Long et al., 2015, and
  most after them).

  Attributes:
    backbone_rate: What the learning rate is multiplied by within the backbone.
  """

  backbone_rate: float = 1.0

  def __post_init__(self) -> None:
    """Refuses a rate that would unlearn."""
    if not 0 <= self.backbone_rate < math.inf:
      raise UserError(f'backbone_rate must be 0 or above, not {self.backbone_rate}')

  def rate(self, leaf: Leaf, progress: jax.Array) -> jax.Array | float:
    """Returns 1 for what is new, `backbone_rate` for the backbone."""
    del progress
    return 1.0 if leaf.is_new else self.backbone_rate
