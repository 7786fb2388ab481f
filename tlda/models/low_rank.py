"""Low-rank adaptation: what a frozen kernel is to learn is a product of two small ones."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import traverse_util
from flax.core import Scope

from tlda.models.pointwise import PointwiseConv
from tlda.models.wrapper import Wrapper

# Where the products lie, beside 'backbone'.
PRODUCTS = 'low_rank'

_DOWN = re.compile(rf'((?:.*/)?){PRODUCTS}/(.*)/down/kernel')
_NORMAL = nn.initializers.variance_scaling(1.0, 'fan_in', 'normal')


class LowRank(Wrapper):
  """A backbone with a product of low rank beside each of its linear maps.

  Hu et al.: *LoRA: Low-Rank Adaptation of Large Language Models* (ICLR 2022), section 4.1: where a
  layer gives `x W`, this gives `x W + alpha / rank (x A) B`. A is drawn normally and B is 0, so
  that the first output is the backbone's. Of a convolution, A is one of the same kernel size,
  stride and padding to `rank` channels, B one of 1x1.

  Only `nn.Dense`, `PointwiseConv` and ungrouped `nn.Conv` have a product; all other modules, such
  as grouped, depthwise and pooled convolutions (`DepthwiseConv`, `PooledConv`) and embeddings, stay
  as they are.

  Attributes:
    backbone: The backbone.
    rank: The width between the two factors.
    alpha: The product is multiplied by `alpha / rank`.
    pattern: A regular expression; layers in whose path below the backbone it is found have a
      product. Left empty, all do.
  """

  rank: int = 8
  alpha: float = 16.0
  pattern: str = ''

  @nn.nowrap
  def changed(
    self, path: tuple[str, ...], module: nn.Module, call: Callable[..., Any], *args: Any, **kw: Any
  ) -> Any:
    """Adds the product to what a linear map returns."""
    y = call(*args, **kw)
    if not _is_linear(module) or not re.search(self.pattern, '/'.join(path)):
      return y
    place = lambda name: self.place(PRODUCTS, *path, name)
    down = _down(module, self.rank, place('down'))
    zeros = nn.initializers.zeros
    up = nn.Dense(y.shape[-1], use_bias=False, kernel_init=zeros, parent=place('up'))
    return y + (self.alpha / self.rank * up(down(*args, **kw))).astype(y.dtype)

  @nn.nowrap
  def merged(self, params: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the parameters with which the bare backbone does what this one does with `params`."""
    flat = merge(traverse_util.flatten_dict(params, sep='/'), self.alpha)
    return traverse_util.unflatten_dict(flat, sep='/')['backbone']


def merge(arrays: Mapping[str, Any], alpha: float) -> dict[str, Any]:
  """Adds products to the kernels that they belong to.

  Args:
    arrays: By path; of a network with `LowRank` somewhere in it, or of any other.
    alpha: That of `LowRank`.

  Returns:
    The same without the products.
  """
  merged = {path: array for path, array in arrays.items() if PRODUCTS not in path.split('/')}
  for path, down in arrays.items():
    if found := _DOWN.fullmatch(path):
      before, layer = found.groups()
      up = arrays[f'{before}{PRODUCTS}/{layer}/up/kernel']
      product = jnp.matmul(down, up, precision=jax.lax.Precision.HIGHEST)
      kernel = f'{before}backbone/{layer}/kernel'
      merged[kernel] = merged[kernel] + alpha / down.shape[-1] * product
  return merged


def _is_linear(module: nn.Module) -> bool:
  if isinstance(module, nn.Conv):
    return module.feature_group_count == 1 and module.mask is None
  return isinstance(module, nn.Dense | PointwiseConv)


def _down(module: nn.Module, rank: int, parent: Scope) -> nn.Module:
  """Returns the map from what a module sees to `rank` channels."""
  settings = {'use_bias': False, 'kernel_init': _NORMAL, 'parent': parent, 'name': None}
  if isinstance(module, PointwiseConv):
    return nn.Dense(rank, **settings)
  return module.clone(features=rank, **settings)
