"""Vision transformers (Dosovitskiy et al.: *An Image is Worth 16x16 Words*, ICLR 2021).

Parameters are named as in timm's weights (`patch_embed/proj`, `blocks_0/attn/qkv`, ..., `norm`), a
layout that DeiT and DINO share, so that these map one to one.
"""

from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from tlda.models.attention import attend
from tlda.models.bottleneck import bottleneck_network
from tlda.models.network import Network
from tlda.models.published import Published

# Width and heads.
LAYOUTS = {'vit_s16': (384, 6), 'vit_b16': (768, 12)}

# Xavier's, as the paper's authors have it; of queries, keys and values each by itself, though they
# share a kernel.
_INIT = nn.initializers.xavier_uniform()
_THREE = nn.initializers.variance_scaling(2.0, 'fan_avg', 'uniform')


def _norm(name: str) -> nn.LayerNorm:
  return nn.LayerNorm(epsilon=1e-6, use_fast_variance=False, name=name)


class PatchEmbedding(nn.Module):
  """Cuts images into patches and maps each linearly.

  Attributes:
    width: The width of the tokens.
    patch: The side of a patch, in pixels.
  """

  width: int
  patch: int

  @nn.compact
  def __call__(self, images: jax.Array) -> jax.Array:
    """Returns `[batch, rows, columns, width]`; what fills no patch is left out."""
    sides = (self.patch, self.patch)
    return nn.Conv(self.width, sides, sides, padding='VALID', name='proj')(images)


class Attention(nn.Module):
  """Self-attention.

  Attributes:
    heads: The number of heads.
  """

  heads: int

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Returns an array like `x`, `[batch, length, width]`."""
    width = x.shape[-1]
    parts = jnp.split(nn.Dense(3 * width, kernel_init=_THREE, name='qkv')(x), 3, axis=-1)
    return nn.Dense(width, kernel_init=_INIT, name='proj')(attend(*parts, heads=self.heads))


class MLP(nn.Module):
  """Two dense layers, the hidden one four times as wide, with the exact GELU between."""

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Returns an array like `x`, `[batch, length, width]`."""
    width = x.shape[-1]
    x = nn.gelu(nn.Dense(4 * width, kernel_init=_INIT, name='fc1')(x), approximate=False)
    return nn.Dense(width, kernel_init=_INIT, name='fc2')(x)


class Block(nn.Module):
  """A transformer block that normalises first.

  Attributes:
    heads: The number of heads.
  """

  heads: int

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    """Returns an array like `x`, `[batch, length, width]`."""
    x = x + Attention(self.heads, name='attn')(_norm('norm1')(x))
    return x + MLP(name='mlp')(_norm('norm2')(x))


class ViT(nn.Module):
  """A vision transformer without its last dense layer.

  It learns one position embedding for each patch of the image size that it was initialised with.
  Each block's tokens `[batch, 1 + patches, width]`, the class token first, are a stage. Nothing is
  dropped in training.

  Attributes:
    width: The width of the tokens.
    heads: The number of heads of each attention.
    depth: The number of blocks.
    patch: The side of a patch, in pixels.
  """

  width: int
  heads: int
  depth: int = 12
  patch: int = 16

  # What timm's own weights of these names (AugReg, of Steiner et al.) were trained with. Those of
  # DeiT and DINO had the mean and standard deviation of ImageNet.
  published: ClassVar[Published] = Published(
    size=224, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), head=('head.',)
  )

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    """The names of its parts, layer by layer from the input on."""
    blocks = [(f'blocks_{place}',) for place in range(self.depth)]
    return ('patch_embed', 'cls_token', 'pos_embed'), *blocks, ('norm',)

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Computes features of images.

    Args:
      inputs: `[batch, height, width, channels]`; rows and columns that fill no patch are left out.
      domain: Not used.
      train: Not used.

    Returns:
      `[batch, self.width]`: the class token after the last normalisation.
    """
    del domain, train
    x = PatchEmbedding(self.width, self.patch, name='patch_embed')(inputs)
    x = x.reshape(len(x), -1, self.width)
    first = self.param('cls_token', nn.initializers.zeros, (1, 1, self.width))
    places = (1, 1 + x.shape[1], self.width)
    position = self.param('pos_embed', nn.initializers.normal(0.02), places)
    x = jnp.concatenate([jnp.broadcast_to(first, (len(x), 1, self.width)), x], axis=1) + position
    for place in range(self.depth):
      x = Block(self.heads, name=f'blocks_{place}')(x)
      self.sow('intermediates', f'stage{place + 1}', x)
    return _norm('norm')(x)[:, 0]

  def adapt(self, name: str, array: np.ndarray, wanted: tuple[int, ...]) -> np.ndarray:
    """Interpolates published position embeddings to another image size.

    Bicubic, without the low-pass filter of a smaller grid, as the embeddings are smooth. Both grids
    are square.

    Args:
      name: The published name of a tensor.
      array: The tensor.
      wanted: The shape of our parameter.

    Returns:
      `[1, 1 + patches, width]` of `wanted`, or the tensor as it is.
    """
    if name != 'pos_embed' or array.shape == tuple(wanted):
      return array
    old, new = (round((length - 1) ** 0.5) for length in (array.shape[1], wanted[1]))
    if (old**2 + 1, new**2 + 1, array.shape[2:]) != (array.shape[1], wanted[1], wanted[2:]):
      return array
    grid = array[0, 1:].reshape(old, old, -1)
    grid = jax.image.resize(grid, (new, new, grid.shape[-1]), 'cubic', antialias=False)
    return np.concatenate([array[:, :1], np.asarray(grid).reshape(1, new**2, -1)], axis=1)


def vit(name: str, classes: int, normalization: str, domains: int) -> Network:
  """A vision transformer with a bottleneck of 256, a linear head, and the domain head."""
  return bottleneck_network(ViT(*LAYOUTS[name]), classes, normalization, domains)
