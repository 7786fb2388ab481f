"""Backbones by name: each a feature extractor with the heads of its paper."""

from collections.abc import Callable
from functools import partial

import flax.linen as nn

from tlda.errors import UserError, nearest
from tlda.models.backbones import resnet, vit
from tlda.models.backbones.digits import (
  MNISTNet,
  SignsNet,
  SVHNNet,
  mnist_net,
  signs_net,
  svhn_net,
)
from tlda.models.backbones.efficientnet import EfficientNet, efficientnet_lite0
from tlda.models.backbones.identity import Identity, identity
from tlda.models.backbones.lenet import LeNet, lenet, lenet_bn
from tlda.models.backbones.minilm import MiniLM, minilm
from tlda.models.backbones.mlp import MLP, mlp, mlp_bn
from tlda.models.backbones.resnet import CIFARResNet, ResNet
from tlda.models.backbones.vgg import VGG, vgg16, vgg16_bn
from tlda.models.backbones.vit import ViT
from tlda.models.bottleneck import Bottleneck
from tlda.models.network import Network, backbone_of
from tlda.models.normalization import MODES

__all__ = [
  'CIFARResNet',
  'Identity',
  'MLP',
  'EfficientNet',
  'LeNet',
  'MNISTNet',
  'MiniLM',
  'Network',
  'ResNet',
  'SVHNNet',
  'SignsNet',
  'VGG',
  'ViT',
  'names',
  'network',
]

_PLAIN = {
  'lenet': lenet,
  'mlp': mlp,
  'mnist_net': mnist_net,
  'signs_net': signs_net,
  'svhn_net': svhn_net,
}
# Of these, at least the bottleneck has batch normalisation.
_NORMALIZED = {
  'efficientnet_lite0': efficientnet_lite0,
  'identity': identity,
  'lenet_bn': lenet_bn,
  'minilm': minilm,
  'mlp_bn': mlp_bn,
  'resnet20': resnet.resnet20,
  'vgg16': vgg16,
  'vgg16_bn': vgg16_bn,
  **{name: partial(resnet.resnet, name) for name in resnet.LAYOUTS},
  **{name: partial(vit.vit, name) for name in vit.LAYOUTS},
}


def names() -> list[str]:
  """Returns the names of all backbones, sorted."""
  return sorted((*_PLAIN, *_NORMALIZED))


def network(
  name: str,
  *,
  classes: int,
  normalization: str = 'joint',
  domains: int = 2,
  bottleneck: int | None = None,
  wrap: Callable[[nn.Module], nn.Module] = lambda backbone: backbone,
) -> Network:
  """Builds a network by the name of its backbone.

  Args:
    name: One of `names()`.
    classes: The number of classes that the head tells apart.
    normalization: 'joint', 'per_domain' or 'frozen', for all batch normalisation in it, or 'ibn'
      for some in a residual network; beside a 'frozen' backbone that of a bottleneck is 'joint',
      for it has no statistics yet.
    domains: The number of branches of 'per_domain'.
    bottleneck: The width of the layer between the backbone and the heads; 0 is no such layer, None
      is what adaptation papers put there.
    wrap: From the backbone to what takes its place, such as itself with adapters.

  Returns:
    The extractor, the head and the domain classifier, none of them initialised.

  Raises:
    UserError: There is no such backbone or normalisation, or the backbone has none to choose.
  """
  if name not in names():
    raise UserError(nearest('backbone', name, names()))
  if normalization not in MODES:
    raise UserError(nearest('normalization', normalization, MODES))
  if name not in _NORMALIZED and normalization != 'joint' and not bottleneck:
    raise UserError(
      f'backbone {name!r} has no batch normalisation that could be {normalization!r}: '
      f'take one of {", ".join(sorted(_NORMALIZED))}'
    )
  if normalization == 'ibn' and name not in resnet.LAYOUTS:
    raise UserError(f"normalization 'ibn' is that of {', '.join(resnet.LAYOUTS)}, not of {name!r}")
  if name in _NORMALIZED:
    usual = _NORMALIZED[name](classes, normalization, domains)
  else:
    usual = _PLAIN[name](classes)
  backbone = wrap(backbone_of(usual.extractor))
  if bottleneck is None:
    bottleneck = getattr(usual.extractor, 'width', 0)
  if normalization == 'per_domain' and not (bottleneck or _is_normalized(usual.extractor)):
    raise UserError(
      f'backbone {name!r} has no batch normalisation that could be of each domain: give it a '
      'bottleneck, which has one'
    )
  if not bottleneck:
    return usual._replace(extractor=backbone)
  own = 'per_domain' if normalization == 'per_domain' else 'joint'
  return usual._replace(extractor=Bottleneck(backbone, bottleneck, own, domains))


def has_normalization(name: str) -> bool:
  """Tells whether a backbone, or at least the bottleneck behind it, has batch normalisation."""
  return name in _NORMALIZED


def _is_normalized(extractor: nn.Module) -> bool:
  """Tells whether the backbone itself has batch normalisation."""
  backbone = backbone_of(extractor)
  return hasattr(backbone, 'normalization') and getattr(backbone, 'normalized', True)
