"""VGG (Simonyan, Zisserman: *Very Deep Convolutional Networks*, ICLR 2015), configuration D.

Parameters are named as in torchvision's weights (`features_0`, ..., `classifier_3`), so that these
map one to one.
"""

from typing import ClassVar

import flax.linen as nn
import jax

from tlda.models.bottleneck import bottleneck_network
from tlda.models.network import Network
from tlda.models.normalization import Normalization
from tlda.models.pooling import average_pool, max_pool
from tlda.models.published import IMAGENET, Published

# The channels of the convolutions in each of the five stages, which a pooling ends.
VGG16 = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


class VGG(nn.Module):
  """A VGG network without its last dense layer.

  The convolutions' images are averaged to 7x7 pixels, which at 224x224 they have already, so that
  images of any size of 32 and more have as many features.

  Attributes:
    stages: The channels of the 3x3 convolutions in each stage.
    normalized: Whether a batch normalisation follows each convolution.
    width: The width of the two dense layers.
    dropout: The share of each dense layer that is dropped in training (needs the key 'dropout').
    normalization: 'joint', 'per_domain' or 'frozen'.
    domains: The number of branches of 'per_domain'.
  """

  stages: tuple[tuple[int, ...], ...] = VGG16
  normalized: bool = False
  width: int = 4096
  dropout: float = 0.5
  normalization: str = 'joint'
  domains: int = 2

  published: ClassVar[Published] = Published(size=224, **IMAGENET, head=('classifier.6.',))

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    """The names of its parts, layer by layer from the input on."""
    parts = 2 if self.normalized else 1
    convolutions = [
      tuple(f'features_{place + part}' for part in range(parts))
      for stage in self._places()
      for place in stage
    ]
    return *convolutions, ('classifier_0',), ('classifier_3',)

  def _places(self) -> list[list[int]]:
    """Returns the numbers of the convolutions in each stage; torchvision counts every layer."""
    step, first, places = 3 if self.normalized else 2, 0, []
    for stage in self.stages:
      places.append([first + step * place for place in range(len(stage))])
      first += step * len(stage) + 1
    return places

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Computes features of images.

    Args:
      inputs: `[batch, height, width, channels]`, height and width at least 32.
      domain: int or int `[batch]`, the branch of per-domain normalisation.
      train: Whether batch normalisation takes the statistics of the batch, and units are dropped.

    Returns:
      `[batch, width]`: the second dense layer, after its ReLU.
    """
    x = inputs
    for stage, places in enumerate(self._places()):
      for place, channels in zip(places, self.stages[stage], strict=True):
        x = nn.Conv(channels, (3, 3), kernel_init=_INIT, name=f'features_{place}')(x)
        if self.normalized:
          norm = Normalization(self.normalization, self.domains, name=f'features_{place + 1}')
          x = norm(x, domain=domain, train=train)
        x = nn.relu(x)
      x = max_pool(x, window=2, stride=2)
      self.sow('intermediates', f'stage{stage + 1}', x)
    # The published dense layer counts its inputs channel by channel.
    x = average_pool(x, 7).transpose(0, 3, 1, 2).reshape(len(x), -1)
    for place in (0, 3):
      x = nn.relu(nn.Dense(self.width, kernel_init=_DENSE, name=f'classifier_{place}')(x))
      # The second dropout is the published head's, but it acts on the features.
      x = nn.Dropout(self.dropout, deterministic=not train)(x)
    return x


# As He et al. (*Delving Deep into Rectifiers*, ICCV 2015) start the paper's networks without having
# to train shallower ones first; torchvision does the same.
_INIT = nn.initializers.variance_scaling(2.0, 'fan_out', 'normal')
_DENSE = nn.initializers.normal(0.01)


def vgg16(classes: int, normalization: str, domains: int) -> Network:
  """VGG-16 with a bottleneck of 256, a linear head, and the domain head 1024-1024-1."""
  return bottleneck_network(VGG(), classes, normalization, domains)


def vgg16_bn(classes: int, normalization: str, domains: int) -> Network:
  """The same with a batch normalisation behind each convolution."""
  backbone = VGG(normalized=True, normalization=normalization, domains=domains)
  return bottleneck_network(backbone, classes, normalization, domains)
