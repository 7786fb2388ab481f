"""Residual networks (He, Zhang, Ren, Sun: *Deep Residual Learning*, CVPR 2016).

The standard form of today (v1.5: a deep block strides at its 3x3 convolution). Parameters are named
as in the weights that are published (`conv1`, `bn1`, `layer1_0/conv1`, ...,
`layer1_0/downsample_0`), so that these map one to one. ResNet-20 is their small network for images
of 32 pixels (section 4.2): 270,000 weights, a student rather than a teacher.

With the normalisation 'ibn' they are IBN-a networks (Pan et al., ECCV 2018): the first of each
block is such in the first three stages, all others are 'joint'. Weights of the standard form fit
them; those that are published for IBN-a, which have half-sized arrays, do not.
"""

from functools import partial
from typing import ClassVar

import flax.linen as nn
import jax

from tlda.models.bottleneck import bottleneck_network
from tlda.models.domain_classifier import DomainClassifier
from tlda.models.heads import Linear
from tlda.models.network import Network
from tlda.models.normalization import Normalization
from tlda.models.pooling import max_pool
from tlda.models.published import IMAGENET, Published

# Blocks in each of the four stages, and whether they are deep (1x1, 3x3, 1x1 convolutions) or basic
# (3x3, 3x3).
LAYOUTS = {
  'resnet18': ((2, 2, 2, 2), False),
  'resnet34': ((3, 4, 6, 3), False),
  'resnet50': ((3, 4, 6, 3), True),
  'resnet101': ((3, 4, 23, 3), True),
}


class Block(nn.Module):
  """A residual block: convolutions, each normalised, beside the identity (or a 1x1 convolution).

  Attributes:
    kernels: The side of each convolution.
    widths: The output channels of each.
    strides: The stride of each.
    normalization: 'joint', 'per_domain' or 'frozen'; 'ibn' is that of the first convolution alone,
      beside others that are 'joint'.
    domains: The number of branches of 'per_domain'.
  """

  kernels: tuple[int, ...]
  widths: tuple[int, ...]
  strides: tuple[int, ...]
  normalization: str
  domains: int

  @nn.compact
  def __call__(self, x: jax.Array, *, domain: jax.Array | int, train: bool) -> jax.Array:
    """Returns `[batch, height / stride, width / stride, widths[-1]]`."""
    norm = partial(Normalization, domains=self.domains)
    shortcut, last = x, len(self.kernels)
    for place, (kernel, width, stride) in enumerate(
      zip(self.kernels, self.widths, self.strides, strict=True), 1
    ):
      x = _conv(width, kernel, stride, name=f'conv{place}')(x)
      x = norm(self._mode(place), name=f'bn{place}')(x, domain=domain, train=train)
      x = nn.relu(x) if place < last else x
    if x.shape != shortcut.shape:
      shortcut = _conv(self.widths[-1], 1, max(self.strides), name='downsample_0')(shortcut)
      norm = norm(self._mode(), name='downsample_1')
      shortcut = norm(shortcut, domain=domain, train=train)
    return nn.relu(x + shortcut)

  def _mode(self, place: int | None = None) -> str:
    return self.normalization if place == 1 else _without_ibn(self.normalization)


class ResNet(nn.Module):
  """A residual network without its last dense layer.

  Attributes:
    blocks: The number of blocks in each of the four stages.
    deep: Whether the blocks are deep (1x1, 3x3, 1x1) or basic (3x3, 3x3).
    normalization: 'joint', 'per_domain', 'frozen' or 'ibn'.
    domains: The number of branches of 'per_domain'.
  """

  blocks: tuple[int, ...]
  deep: bool
  normalization: str = 'joint'
  domains: int = 2

  published: ClassVar[Published] = Published(size=224, **IMAGENET, head=('fc.',))

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    """The names of its parts, layer by layer from the input on."""
    blocks = [
      (f'layer{stage}_{place}',)
      for stage, number in enumerate(self.blocks, 1)
      for place in range(number)
    ]
    return ('conv1', 'bn1'), *blocks

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Computes features of images.

    Args:
      inputs: `[batch, height, width, channels]`.
      domain: int or int `[batch]`, the branch of per-domain normalisation.
      train: Whether batch normalisation takes the statistics of the batch.

    Returns:
      `[batch, 512]` (basic) or `[batch, 2048]` (deep).
    """
    x = _conv(64, 7, 2, name='conv1')(inputs)
    norm = Normalization(_without_ibn(self.normalization), self.domains, name='bn1')
    x = max_pool(nn.relu(norm(x, domain=domain, train=train)), window=3, stride=2, padding=1)
    for stage, blocks in enumerate(self.blocks, 1):
      for place in range(blocks):
        stride = 2 if stage > 1 and place == 0 else 1
        block = self._block(stage, stride, f'layer{stage}_{place}')
        x = block(x, domain=domain, train=train)
      self.sow('intermediates', f'stage{stage}', x)
    return x.mean((1, 2))

  def _block(self, stage: int, stride: int, name: str) -> Block:
    width = 64 * 2 ** (stage - 1)
    if self.deep:
      kernels, widths, strides = (1, 3, 1), (width, width, 4 * width), (1, stride, 1)
    else:
      kernels, widths, strides = (3, 3), (width, width), (stride, 1)
    mode = self.normalization if stage < 4 else _without_ibn(self.normalization)
    return Block(kernels, widths, strides, mode, self.domains, name=name)


class CIFARResNet(nn.Module):
  """The residual network of section 4.2, for CIFAR-10: 6 `blocks` + 2 layers of weights.

  Departs from the paper, as most implementations: where channels double, the shortcut is a 1x1
  convolution (there, the identity and zeros).

  Attributes:
    blocks: The number of basic blocks in each of the three stages.
    normalization: 'joint', 'per_domain' or 'frozen'.
    domains: The number of branches of 'per_domain'.
  """

  blocks: int
  normalization: str = 'joint'
  domains: int = 2

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    """The names of its parts, layer by layer from the input on."""
    blocks = [(f'layer{stage}_{place}',) for stage in (1, 2, 3) for place in range(self.blocks)]
    return ('conv1', 'bn1'), *blocks

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Returns features `[batch, 64]` of images `[batch, height, width, channels]`."""
    norm = Normalization(self.normalization, self.domains, name='bn1')
    x = nn.relu(norm(_conv(16, 3, 1, name='conv1')(inputs), domain=domain, train=train))
    for stage, width in enumerate((16, 32, 64), 1):
      for place in range(self.blocks):
        strides = (2 if stage > 1 and place == 0 else 1, 1)
        name = f'layer{stage}_{place}'
        block = Block((3, 3), (width, width), strides, self.normalization, self.domains, name=name)
        x = block(x, domain=domain, train=train)
      self.sow('intermediates', f'stage{stage}', x)
    return x.mean((1, 2))


def _without_ibn(normalization: str) -> str:
  """Returns the normalisation of layers whose every channel is normalised alike."""
  return 'joint' if normalization == 'ibn' else normalization


def _conv(width: int, kernel: int, stride: int, name: str) -> nn.Conv:
  return nn.Conv(
    width,
    (kernel, kernel),
    (stride, stride),
    padding=kernel // 2,
    use_bias=False,
    kernel_init=nn.initializers.variance_scaling(2.0, 'fan_out', 'normal'),
    name=name,
  )


def resnet(name: str, classes: int, normalization: str, domains: int) -> Network:
  """A residual network with a bottleneck of 256, a linear head, and the domain head 1024-1024-1."""
  blocks, deep = LAYOUTS[name]
  backbone = ResNet(blocks, deep, normalization, domains)
  return bottleneck_network(backbone, classes, normalization, domains)


def resnet20(classes: int, normalization: str, domains: int) -> Network:
  """ResNet-20 with a linear head, and the domain head 100-1."""
  return Network(CIFARResNet(3, normalization, domains), Linear(classes), DomainClassifier())
