"""StochNorm: fine-tuning under normalisation that now and then remembers the pretrained network."""

import dataclasses

import flax.linen as nn

from tlda.errors import UserError
from tlda.models.stochastic_normalization import StochasticNormalization
from tlda.transfer.fine_tune import FineTune


@dataclasses.dataclass(frozen=True)
class StochNorm(FineTune):
  """Moves every weight, under batch normalisation that mixes two kinds of statistics.

  Kou, You, Long, Wang: *Stochastic Normalization* (NeurIPS 2020); see `StochasticNormalization`.

  Attributes:
    backbone_rate: What the learning rate is multiplied by within the backbone.
    moving: The probability with which a channel of the backbone takes the moving statistics in a
      training step, and not the batch's; 1/2 in the paper.
  """

  moving: float = 0.5

  def network(self, backbone: nn.Module) -> nn.Module:
    """Returns the backbone with stochastic normalisation."""
    if not 0 <= self.moving <= 1:
      raise UserError(f'--stoch_norm.moving must be in [0, 1], not {self.moving}')
    return StochasticNormalization(backbone, self.moving)
