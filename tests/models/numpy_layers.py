"""Layers written out in float64 NumPy, to compare networks with."""

from typing import Any

import flax.linen as nn
import jax
import numpy as np

Array = np.ndarray


def variables(module: nn.Module, *inputs: Any, **settings: Any) -> Any:
  """Variables of the right shapes, drawn by NumPy: nothing has to be compiled for them."""
  rng = np.random.default_rng(0)
  shapes = jax.eval_shape(lambda: module.init(jax.random.key(0), *inputs, **settings))

  def draw(leaf: jax.ShapeDtypeStruct) -> Array:
    return rng.normal(0.0, 0.2, leaf.shape).astype(leaf.dtype)

  return {
    **shapes,
    'params': jax.tree.map(draw, shapes['params']),
    'batch_stats': jax.tree.map(
      lambda leaf: np.ones(leaf.shape, leaf.dtype), shapes.get('batch_stats', {})
    ),
  }


def convolve(x: Array, kernel: Array, stride: int = 1, padding: int = 0) -> Array:
  """Cross-correlates `[batch, height, width, in]` with `[rows, columns, in, out]`."""
  x = np.pad(x.astype(np.float64), ((0, 0), (padding, padding), (padding, padding), (0, 0)))
  windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
  windows = windows[:, ::stride, ::stride]
  return np.einsum('nijcrs,rsco->nijo', windows, kernel.astype(np.float64))


def max_pool(x: Array, window: int, stride: int, padding: int = 0) -> Array:
  """Takes the maximum of square windows of `[batch, height, width, channels]`."""
  edges = ((0, 0), (padding, padding), (padding, padding), (0, 0))
  x = np.pad(x, edges, constant_values=-np.inf)
  windows = np.lib.stride_tricks.sliding_window_view(x, (window, window), axis=(1, 2))
  return windows[:, ::stride, ::stride].max((-2, -1))


def normalize(x: Array, epsilon: float = 1e-5) -> Array:
  """Standardises each channel of `[..., channels]`."""
  x = x.astype(np.float64)
  axes = tuple(range(x.ndim - 1))
  return (x - x.mean(axes)) / np.sqrt(x.var(axes) + epsilon)


def relu(x: Array) -> Array:
  """Replaces what is negative by zero."""
  return np.maximum(x, 0)
