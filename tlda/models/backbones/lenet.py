"""LeNet, as adaptation papers use it."""

import flax.linen as nn
import jax

from tlda.models.bottleneck import Bottleneck
from tlda.models.convolution import PooledConv
from tlda.models.domain_classifier import DomainClassifier
from tlda.models.heads import Linear
from tlda.models.network import Network


class LeNet(nn.Module):
  """Caffe's LeNet: 5x5 convolutions of 20 and 50 channels, each pooled, then 500 features.

  With ReLU after each layer, this is the network of Tzeng, Hoffman, Saenko, Darrell: *Adversarial
  Discriminative Domain Adaptation* (CVPR 2017), after LeCun et al. (1998).
  """

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    """The names of its parts, layer by layer from the input on."""
    return ('conv1',), ('conv2',), ('dense',)

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Returns features `[batch, 500]` of images `[batch, height, width, channels]`."""
    del domain, train
    x = inputs
    for stage, channels in enumerate((20, 50), 1):
      x = PooledConv(channels, name=f'conv{stage}')(x)
      self.sow('intermediates', f'stage{stage}', x)
    return nn.relu(nn.Dense(500, name='dense')(x.reshape(len(x), -1)))


def lenet(classes: int) -> Network:
  """LeNet with ADDA's heads: linear for the labels, 500-500-1 for the domains."""
  return Network(LeNet(), Linear(classes), DomainClassifier((500, 500)))


def lenet_bn(classes: int, normalization: str, domains: int) -> Network:
  """LeNet, a bottleneck of 256 with batch normalisation, and ADDA's heads.

  Liang, Hu, Feng (*Do We Really Need to Access the Source Data?*, ICML 2020) put one like it
  on their digit networks.
  """
  extractor = Bottleneck(LeNet(), 256, normalization, domains)
  return Network(extractor, Linear(classes), DomainClassifier((500, 500)))
