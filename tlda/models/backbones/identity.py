"""No backbone: features that another network has extracted are learned from as they are."""

import flax.linen as nn
import jax

from tlda.models.bottleneck import Bottleneck
from tlda.models.domain_classifier import DomainClassifier
from tlda.models.heads import Linear
from tlda.models.network import Network


class Identity(nn.Module):
  """Flattens its inputs; it has no parameters."""

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    """None: all that learns is new."""
    return ()

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Returns `[batch, d]` of inputs `[batch, ...]`."""
    del domain, train
    x = inputs.reshape(len(inputs), -1)
    self.sow('intermediates', 'stage1', x)
    return x


def identity(classes: int, normalization: str, domains: int) -> Network:
  """A bottleneck of 256, a linear head, and the domain head 1024-1024-1, as behind a ResNet."""
  extractor = Bottleneck(Identity(), 256, normalization, domains)
  return Network(extractor, Linear(classes), DomainClassifier((1024, 1024)))
