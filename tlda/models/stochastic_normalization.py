"""StochNorm: batch normalisation that takes now the batch's statistics, now the moving ones."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax

from tlda.errors import UserError
from tlda.models.normalization import Normalization
from tlda.models.wrapper import Wrapper


class StochasticNormalization(Wrapper):
  """A backbone whose batch normalisation takes the moving statistics for some of its channels.

  Kou, You, Long, Wang: *Stochastic Normalization* (NeurIPS 2020), section 3: in training, each
  channel of each layer takes the moving statistics with some probability, else the batch's. Those
  of a pretrained network so keep the fine-tuned one near it. Needs the key 'normalization'.

  Attributes:
    backbone: The backbone.
    moving: The probability of the moving statistics, `Normalization.moving`.
  """

  moving: float = 0.5

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Returns the features `[batch, d]` of the backbone.

    Raises:
      UserError: The backbone has no batch normalisation, or a frozen one.
    """
    features = super().__call__(inputs, domain=domain, train=train)
    if 'batch_stats' not in self.variables:
      raise UserError('stochastic normalisation needs a --backbone with batch normalisation')
    return features

  @nn.nowrap
  def changed(
    self, path: tuple[str, ...], module: nn.Module, call: Callable[..., Any], *args: Any, **kw: Any
  ) -> Any:
    """Calls normalisation with the probability."""
    del path
    if not isinstance(module, Normalization) or module.moving == self.moving:
      return call(*args, **kw)
    if module.mode == 'frozen':
      raise UserError('--normalization=frozen leaves nothing to stochastic normalisation')
    return module.clone(moving=self.moving, parent=module.scope)(*args, **kw)
