"""The bottleneck that adaptation papers put between a deep backbone and its heads."""

import flax.linen as nn
import jax

from tlda.models.domain_classifier import DomainClassifier
from tlda.models.heads import Linear
from tlda.models.network import Network
from tlda.models.normalization import Normalization


class Bottleneck(nn.Module):
  """An extractor: a backbone and a narrow layer (dense, batch normalisation, ReLU).

  Ganin et al. (2016) align 256 features below the label head instead of the thousands of an
  ImageNet network, and most later papers follow. So the layer belongs to the extractor, and it
  keeps the backbone's weights apart (`backbone`, `dense`, `norm`), for they are pretrained and
  learn more slowly.

  Attributes:
    backbone: An extractor.
    width: The number of features.
    normalization: 'joint', 'per_domain' or 'frozen'.
    domains: The number of branches of 'per_domain'.
  """

  backbone: nn.Module
  width: int = 256
  normalization: str = 'joint'
  domains: int = 2

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Returns features `[batch, width]` of inputs `[batch, ...]`."""
    x = self.backbone(inputs, domain=domain, train=train)
    x = nn.Dense(self.width, name='dense')(x)
    norm = Normalization(self.normalization, self.domains, name='norm')
    return nn.relu(norm(x, domain=domain, train=train))


def bottleneck_network(
  backbone: nn.Module, classes: int, normalization: str, domains: int
) -> Network:
  """Builds what adaptation papers put on a deep backbone, whichever it is.

  Args:
    backbone: An extractor.
    classes: The number of classes that the head tells apart.
    normalization: 'joint', 'per_domain' or 'frozen', for the bottleneck.
    domains: The number of branches of 'per_domain'.

  Returns:
    A bottleneck of 256, a linear head, and the domain head 1024-1024-1.
  """
  extractor = Bottleneck(backbone, 256, normalization, domains)
  return Network(extractor, Linear(classes), DomainClassifier((1024, 1024)))
