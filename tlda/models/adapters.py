"""Adapters: small residual networks between the layers of a frozen backbone."""

from collections.abc import Callable
from functools import partial
from typing import Any

import flax.linen as nn

from tlda.models.wrapper import Wrapper

# Where the adapters lie, beside 'backbone'.
ADAPTERS = 'adapters'


class Adapters(Wrapper):
  """A backbone with a bottleneck adapter behind each of its layers but the first.

  Houlsby et al.: *Parameter-Efficient Transfer Learning for NLP* (ICML 2019), section 2.1: what a
  layer returns goes through a narrow dense layer, GELU and a dense layer back, and is added to
  itself. The last starts at 0, so that the first output is the backbone's (the paper draws it near
  0). They act on the last dimension: of images, as 1x1 convolutions.

  One adapter stands behind the last part of a layer (`backbone.layers`), as behind a whole residual
  or transformer block, where the paper has two within each. The first layer, which makes channels
  or tokens of the inputs, has none. Unlike `LowRank`, they are no linear maps, and cannot be merged
  into the backbone's weights.

  Attributes:
    backbone: The backbone.
    width: The width of the narrow layer.
  """

  width: int = 32

  @nn.nowrap
  def changed(
    self, path: tuple[str, ...], module: nn.Module, call: Callable[..., Any], *args: Any, **kw: Any
  ) -> Any:
    """Adds the adapter's output to what the last part of a layer returns."""
    del module
    y = call(*args, **kw)
    if path not in [(layer[-1],) for layer in self.backbone.layers[1:]]:
      return y
    place = partial(self.place, ADAPTERS, *path)
    hidden = nn.gelu(nn.Dense(self.width, parent=place('down'))(y))
    up = nn.Dense(y.shape[-1], kernel_init=nn.initializers.zeros, parent=place('up'))
    return y + up(hidden)
