"""The bottleneck that adaptation papers put between a deep backbone and its heads."""

import flax.linen as nn
import jax

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
