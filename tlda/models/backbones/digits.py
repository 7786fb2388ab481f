"""The networks of Ganin et al. (JMLR 17, 2016), figure 4, for digits and for traffic signs."""

import flax.linen as nn
import jax

from tlda.models.convolution import PooledConv
from tlda.models.domain_classifier import DomainClassifier
from tlda.models.heads import MLPHead
from tlda.models.network import Network
from tlda.models.pooling import max_pool


class MNISTNet(nn.Module):
  """The convolutional part of the MNIST network: two 5x5 convolutions without padding, each pooled.

  28x28 images become 768 features, 32x32 images 1,200.
  """

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    """The names of its parts, layer by layer from the input on."""
    return ('conv1',), ('conv2',)

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Returns features `[batch, d]` of images `[batch, height, width, channels]`."""
    del domain, train
    x = inputs
    for stage, channels in enumerate((32, 48), 1):
      x = PooledConv(channels, name=f'conv{stage}')(x)
      self.sow('intermediates', f'stage{stage}', x)
    return x.reshape(len(x), -1)


class SVHNNet(nn.Module):
  """The convolutional part of the SVHN network: padded 5x5 convolutions, two of three pooled.

  32x32 images become 6,272 features. The paper gives no padding; without it the third convolution
  would not fit into a 32x32 image.
  """

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    """The names of its parts, layer by layer from the input on."""
    return ('conv1',), ('conv2',), ('conv3',)

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Returns features `[batch, d]` of images `[batch, height, width, channels]`."""
    del domain, train
    x = inputs
    for stage, channels in enumerate((64, 64, 128), 1):
      x = nn.Conv(channels, (5, 5), padding='SAME', name=f'conv{stage}')(x)
      x = nn.relu(max_pool(x, window=3, stride=2) if stage < 3 else x)
      self.sow('intermediates', f'stage{stage}', x)
    return x.reshape(len(x), -1)


class SignsNet(nn.Module):
  """The convolutional part of the GTSRB network: 5x5, 3x3 and 5x5, without padding, each pooled.

  40x40 images become 1,024 features, 32x32 images 256. The paper gives no size and no padding.
  """

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    """The names of its parts, layer by layer from the input on."""
    return ('conv1',), ('conv2',), ('conv3',)

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Returns features `[batch, d]` of images `[batch, height, width, channels]`."""
    del domain, train
    x = inputs
    for stage, (channels, kernel) in enumerate(((96, 5), (144, 3), (256, 5)), 1):
      x = PooledConv(channels, kernel, name=f'conv{stage}')(x)
      self.sow('intermediates', f'stage{stage}', x)
    return x.reshape(len(x), -1)


def mnist_net(classes: int) -> Network:
  """The MNIST network: label head 100-100-classes, domain head 100-1."""
  return Network(MNISTNet(), MLPHead((100, 100), classes), DomainClassifier((100,)))


def svhn_net(classes: int) -> Network:
  """The SVHN network: label head 3072-2048-classes, domain head 1024-1024-1, both with dropout.

  The paper follows Srivastava et al. (JMLR 15, 2014), who drop half of each dense layer; their
  bound on the norm of the weights is the optimizer's business.
  """
  head = MLPHead((3072, 2048), classes, dropout=0.5)
  return Network(SVHNNet(), head, DomainClassifier((1024, 1024), dropout=0.5))


def signs_net(classes: int) -> Network:
  """The GTSRB network: label head 512-classes, domain head 1024-1024-1."""
  return Network(SignsNet(), MLPHead((512,), classes), DomainClassifier((1024, 1024)))
