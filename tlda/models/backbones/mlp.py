"""A dense extractor for feature vectors."""

import flax.linen as nn
import jax

from tlda.models.bottleneck import Bottleneck
from tlda.models.domain_classifier import DomainClassifier
from tlda.models.heads import Linear
from tlda.models.network import Network


class MLP(nn.Module):
  """Dense layers with the logistic sigmoid.

  With one layer, this is the shallow network of Ganin et al. (JMLR 17, 2016), section 4.1.

  Attributes:
    hidden: The widths of the layers; the last is the number of features.
  """

  hidden: tuple[int, ...] = (100,)

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    """The names of its parts, layer by layer from the input on."""
    return tuple((f'dense{stage}',) for stage in range(1, len(self.hidden) + 1))

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Returns features `[batch, hidden[-1]]` of inputs `[batch, ...]`, which are flattened."""
    del domain, train
    x = inputs.reshape(len(inputs), -1)
    for stage, width in enumerate(self.hidden, 1):
      x = nn.sigmoid(nn.Dense(width, name=f'dense{stage}')(x))
      self.sow('intermediates', f'stage{stage}', x)
    return x


def mlp(classes: int) -> Network:
  """The shallow network: one hidden layer, and linear heads for labels and for domains."""
  return Network(MLP(), Linear(classes), DomainClassifier(()))


def mlp_bn(classes: int, normalization: str, domains: int) -> Network:
  """The shallow network with a second layer of 100 that has batch normalisation."""
  extractor = Bottleneck(MLP(), 100, normalization, domains)
  return Network(extractor, Linear(classes), DomainClassifier(()))
