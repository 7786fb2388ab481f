"""Discriminative fine-tuning: another learning rate for each group of layers."""

import dataclasses

from tlda.transfer.layer_decay import LayerDecay


@dataclasses.dataclass(frozen=True)
class Discriminative(LayerDecay):
  """Divides the rate by 2.6 from each group of layers to the one below it.

  Howard, Ruder: *Universal Language Model Fine-tuning* (ACL 2018), section 3.2, whose network has
  four groups, the head among them. `layer_decay` with other defaults.

  Attributes:
    decay: The factor for each group.
    groups: The number of groups of the backbone.
  """

  decay: float = 1 / 2.6
  groups: int = 3
