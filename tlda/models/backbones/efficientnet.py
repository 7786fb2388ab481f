"""EfficientNet-Lite (Tan, Le: *EfficientNet*, ICML 2019; the Lite form is of their repository).

Lite leaves out what small devices lack: no squeeze-and-excitation, and ReLU6 for swish. Parameters
are named as in the weights that are published for PyTorch, less the underscore before each name.
"""

from functools import partial
from typing import ClassVar

import flax.linen as nn
import jax

from tlda.models.bottleneck import bottleneck_network
from tlda.models.depthwise import DepthwiseConv
from tlda.models.network import Network
from tlda.models.normalization import Normalization
from tlda.models.pointwise import PointwiseConv
from tlda.models.published import Published, torch_name

# Of each stage: blocks, side of the depthwise kernel, stride of the first block, how many times the
# block widens its input, and output channels.
LITE0 = (
  (1, 3, 1, 1, 16),
  (2, 3, 2, 6, 24),
  (2, 5, 2, 6, 40),
  (3, 3, 2, 6, 80),
  (3, 5, 1, 6, 112),
  (4, 5, 2, 6, 192),
  (1, 3, 1, 6, 320),
)
_INIT = nn.initializers.variance_scaling(2.0, 'fan_out', 'normal')
# TensorFlow's momentum and epsilon, with which the weights were trained.
_norm = partial(Normalization, momentum=0.99, epsilon=1e-3)


def _published_name(path: str) -> str:
  *modules, leaf = path.split('/')
  return torch_name('/'.join([*(f'_{module}' for module in modules), leaf]))


class MBConv(nn.Module):
  """An inverted residual block: widened by 1x1, depthwise, narrowed by 1x1, each normalised.

  Attributes:
    side: The side of the depthwise kernel.
    stride: Its stride.
    expansion: How many times wider than its input the block is inside.
    width: The number of output channels.
    normalization: 'joint', 'per_domain' or 'frozen'.
    domains: The number of branches of 'per_domain'.
  """

  side: int
  stride: int
  expansion: int
  width: int
  normalization: str
  domains: int

  @nn.compact
  def __call__(self, x: jax.Array, *, domain: jax.Array | int, train: bool) -> jax.Array:
    """Returns `[batch, ceil(height / stride), ceil(width / stride), self.width]`."""
    norm = partial(_norm, self.normalization, self.domains)
    shortcut = x
    if self.expansion > 1:
      x = PointwiseConv(self.expansion * x.shape[-1], name='expand_conv')(x)
      x = jax.nn.relu6(norm(name='bn0')(x, domain=domain, train=train))
    x = DepthwiseConv(self.side, self.stride, name='depthwise_conv')(x)
    x = jax.nn.relu6(norm(name='bn1')(x, domain=domain, train=train))
    x = PointwiseConv(self.width, name='project_conv')(x)
    x = norm(name='bn2')(x, domain=domain, train=train)
    return x + shortcut if x.shape == shortcut.shape and self.stride == 1 else x


class EfficientNet(nn.Module):
  """An EfficientNet-Lite without its last dense layer.

  The stages that it sows are the seven groups of blocks, and as the eighth what the last 1x1
  convolution makes of them. Whole blocks are never dropped in training ('drop connect'), nor is
  anything else; a head may have dropout (the paper's has 0.2).

  Attributes:
    stages: Of each: blocks, side of the depthwise kernel, stride, expansion, output channels.
    normalization: 'joint', 'per_domain' or 'frozen'.
    domains: The number of branches of 'per_domain'.
  """

  stages: tuple[tuple[int, int, int, int, int], ...] = LITE0
  normalization: str = 'joint'
  domains: int = 2

  # Lite's pixels are (x - 127) / 128 of 0 to 255.
  published: ClassVar[Published] = Published(
    size=224,
    mean=(127 / 255,) * 3,
    std=(128 / 255,) * 3,
    head=('_fc.',),
    rename=_published_name,
  )

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    """The names of its parts, layer by layer from the input on."""
    blocks = [(f'blocks_{place}',) for place in range(sum(stage[0] for stage in self.stages))]
    return ('conv_stem', 'bn0'), *blocks, ('conv_head', 'bn1')

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
      `[batch, 1280]`.
    """
    settings = {'normalization': self.normalization, 'domains': self.domains}
    norm = partial(_norm, self.normalization, self.domains)
    x = nn.Conv(32, (3, 3), (2, 2), use_bias=False, kernel_init=_INIT, name='conv_stem')(inputs)
    x = jax.nn.relu6(norm(name='bn0')(x, domain=domain, train=train))
    place = 0
    for number, (blocks, side, first, expansion, width) in enumerate(self.stages, 1):
      for stride in (first, *(1,) * (blocks - 1)):
        block = MBConv(side, stride, expansion, width, **settings, name=f'blocks_{place}')
        x, place = block(x, domain=domain, train=train), place + 1
      self.sow('intermediates', f'stage{number}', x)
    x = PointwiseConv(1280, name='conv_head')(x)
    x = jax.nn.relu6(norm(name='bn1')(x, domain=domain, train=train))
    self.sow('intermediates', f'stage{len(self.stages) + 1}', x)
    return x.mean((1, 2))


def efficientnet_lite0(classes: int, normalization: str, domains: int) -> Network:
  """EfficientNet-Lite0 with a bottleneck of 256, a linear head, and the domain head 1024-1024-1."""
  backbone = EfficientNet(LITE0, normalization, domains)
  return bottleneck_network(backbone, classes, normalization, domains)
