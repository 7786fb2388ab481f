"""L2-SP: weight decay towards the pretrained weights instead of towards zero."""

import dataclasses
import math

import jax
import optax

from tlda.errors import UserError
from tlda.transfer.strategy import Locate, Strategy, path_of


@dataclasses.dataclass(frozen=True)
class L2SP(Strategy):
  """Adds `alpha / 2 |w - w0|^2` over the backbone and `beta / 2 |v|^2` over what is new.

  Li, Grandvalet, Davoine: *Explicit Inductive Bias for Transfer Learning with Convolutional
  Networks* (ICML 2018), eq. 3; w0 are the weights that training starts from. They choose alpha
  from .001 to .1, and beta = .01.

  Attributes:
    alpha: The pull towards the first weights.
    beta: The weight decay of what is new.
  """

  alpha: float = 0.1
  beta: float = 0.01

  def check(self, leaves: object) -> None:
    """Refuses to push away from the first weights, or from zero."""
    del leaves
    for name in ('alpha', 'beta'):
      if not 0 <= getattr(self, name) < math.inf:
        raise UserError(f'--l2_sp.{name} must be 0 or above, not {getattr(self, name)}')

  def penalty(self, locate: Locate) -> optax.GradientTransformation:
    """Returns the transformation that adds the gradient of both terms; its state holds w0."""
    is_new = lambda keys: locate(path_of(keys)).is_new

    def init(params: optax.Params) -> optax.OptState:
      return jax.tree.map_with_path(lambda keys, w: None if is_new(keys) else w, params)

    def update(
      updates: optax.Updates, state: optax.OptState, params: optax.Params | None = None
    ) -> tuple[optax.Updates, optax.OptState]:
      def add(gradient: jax.Array, w: jax.Array, start: jax.Array | None) -> jax.Array:
        return gradient + (self.beta * w if start is None else self.alpha * (w - start))

      return jax.tree.map(add, updates, params, state), state

    return optax.GradientTransformation(init, update)
