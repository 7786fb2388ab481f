"""LP-FT: a linear probe first, then fine-tuning from its head."""

import dataclasses
import math
from typing import ClassVar

import jax
import jax.numpy as jnp

from tlda.errors import UserError
from tlda.transfer.strategy import Leaf, Strategy


@dataclasses.dataclass(frozen=True)
class LPFT(Strategy):
  """Trains what is new alone at first, and then everything.

  Kumar, Raghunathan, Jones, Ma, Liang: *Fine-Tuning can Distort Pretrained Features and
  Underperform Out-of-Distribution* (ICLR 2022). Both parts are one training here, under one
  schedule.

  Attributes:
    probe: The share of the training that only the head learns.
    backbone_rate: What the learning rate is multiplied by within the backbone afterwards.
  """

  normalization: ClassVar[str | None] = 'frozen'
  waits: ClassVar[bool] = True

  probe: float = 0.5
  backbone_rate: float = 0.1

  def rate(self, leaf: Leaf, progress: jax.Array) -> jax.Array | float:
    """Returns 1 for what is new, and for the backbone 0, then `backbone_rate`."""
    return 1.0 if leaf.is_new else jnp.where(progress >= self.probe, self.backbone_rate, 0.0)

  def check(self, leaves: object) -> None:
    """Refuses a share that is none, and a rate that would unlearn."""
    del leaves
    if not 0 <= self.backbone_rate < math.inf:
      raise UserError(f'--lp_ft.backbone_rate must be 0 or above, not {self.backbone_rate}')
    if not 0 <= self.probe <= 1:
      raise UserError(f'--lp_ft.probe must be in [0, 1], not {self.probe}')
