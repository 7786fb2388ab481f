"""Styles of feature maps, and other maps in the place of those within a network."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from tlda.methods.method import STAGES

_EPSILON = 1e-6


def styles_of(maps: jax.Array) -> jax.Array:
  """Returns the mean and the deviation of each channel over its positions.

  Args:
    maps: `[batch, height, width, channels]`.

  Returns:
    `[batch, 2, channels]`, in at least float32.
  """
  wide = maps.astype(jnp.promote_types(maps.dtype, jnp.float32))
  return jnp.stack([wide.mean((1, 2)), jnp.sqrt(wide.var((1, 2)) + _EPSILON)], axis=1)


def restyled(maps: jax.Array, own: jax.Array, styles: jax.Array) -> jax.Array:
  """Returns feature maps with other styles in the place of their own.

  Args:
    maps: `[batch, height, width, channels]`.
    own: `[batch, 2, channels]`, their `styles_of`.
    styles: `[batch, 2, channels]`, the new ones.
  """
  (mean, deviation), (new_mean, new_deviation) = (
    jnp.moveaxis(style[:, :, None, None], 1, 0) for style in (own, styles)
  )
  return ((maps - mean) / deviation * new_deviation + new_mean).astype(maps.dtype)


@contextlib.contextmanager
def replaced(
  stages: Sequence[int], make: Callable[[int, jax.Array], jax.Array]
) -> Iterator[dict[int, jax.Array]]:
  """Has the layers behind some stages of an extractor read other maps than those of the stage.

  Args:
    stages: Their numbers, from 1 at the input on. The last stage of an extractor counts only if
      another layer reads its maps as they are.
    make: `(stage, maps) -> maps`, called once for each stage that is met.

  Yields:
    What was made for each stage, which fills as the network is applied.
  """
  made: dict[int, jax.Array] = {}

  def call(
    method: Callable[..., Any], args: Any, kw: Any, where: nn.module.InterceptorContext
  ) -> Any:
    stage = _read_by(where.module, args, stages) if where.method_name == '__call__' else None
    if stage is None:
      return method(*args, **kw)
    if stage not in made:
      made[stage] = make(stage, args[0])
    return method(made[stage], *args[1:], **kw)

  with nn.intercept_methods(call):
    yield made


def _read_by(module: nn.Module, args: Any, stages: Sequence[int]) -> int | None:
  """Returns which stage's feature maps a module is called with, if any's."""
  if not args or getattr(args[0], 'ndim', 0) != 4 or not isinstance(module.parent, nn.Module):
    return None
  for stage in stages:
    sown = module.parent.get_variable(STAGES, f'stage{stage}', ())
    if sown and sown[-1] is args[0]:
      return stage
  return None
