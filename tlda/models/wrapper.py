"""What changes a backbone from outside: its calls pass through, its code stays as it is."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
from flax.core import Scope


class Wrapper(nn.Module):
  """A backbone, called like itself, of which each module's call may be changed.

  Parameters that a subclass adds lie beside 'backbone', under a name of their own (`place`), so
  that they count as new to whatever orders weights by the backbone's layers. A call beneath a
  lifted transformation (`nn.scan`, `nn.remat`) can be given none.

  Attributes:
    backbone: The backbone.
  """

  backbone: nn.Module

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    """The names of the backbone's parts, layer by layer from the input on."""
    return self.backbone.layers

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Returns the features `[batch, d]` of the changed backbone."""
    with nn.intercept_methods(self._intercept):
      return self.backbone(inputs, domain=domain, train=train)

  # Linen lets every method that is not marked pass through the interceptors, this one too.
  @nn.nowrap
  def changed(
    self, path: tuple[str, ...], module: nn.Module, call: Callable[..., Any], *args: Any, **kw: Any
  ) -> Any:
    """Returns what takes the place of `call(*args, **kw)`.

    Args:
      path: The names from the backbone to the module.
      module: Which is called.
      call: Its `__call__`.
      *args: What it is called with.
      **kw: The same, by name.
    """
    raise TypeError(f'{type(self).__name__} changes nothing')

  @nn.nowrap
  def place(self, *names: str) -> Scope:
    """Returns where parameters of the given path beside 'backbone' lie, as a module's `parent`."""
    scope = self.scope
    for name in names:
      scope = scope.push(name, reuse=True)
    return scope

  @nn.nowrap
  def _intercept(
    self,
    call: Callable[..., Any],
    args: tuple[Any, ...],
    kw: dict[str, Any],
    context: nn.module.InterceptorContext,
  ) -> Any:
    own, path = self.backbone.path, context.module.path
    if context.method_name != '__call__' or path[: len(own)] != own:
      return call(*args, **kw)
    return self.changed(path[len(own) :], context.module, call, *args, **kw)
