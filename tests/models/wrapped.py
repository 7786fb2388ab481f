"""A backbone with one of each kind of layer, to be changed from outside."""

import flax.linen as nn
import jax

from tlda.models.convolution import PooledConv
from tlda.models.normalization import Normalization
from tlda.models.pointwise import PointwiseConv


class Kinds(nn.Module):
  """Convolutions (strided, grouped, pooled, 1x1), normalisation, and dense layers."""

  normalization: str = 'joint'

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    return ('stem', 'bn'), ('grouped',), ('pooled',), ('narrow',), ('block',)

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    x = nn.Conv(4, (3, 3), (2, 2), padding=1, name='stem')(inputs)
    x = Normalization(self.normalization, name='bn')(x, domain=domain, train=train)
    x = nn.Conv(4, (3, 3), feature_group_count=2, name='grouped')(nn.relu(x))
    x = PooledConv(5, kernel=3, name='pooled')(x)
    self.sow('intermediates', 'stage1', x)
    x = PointwiseConv(3, name='narrow')(x)
    return Block(name='block')(x.reshape(len(x), -1))


class Block(nn.Module):
  """Two dense layers."""

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    return nn.Dense(6, name='out')(nn.relu(nn.Dense(7, name='in')(x)))
