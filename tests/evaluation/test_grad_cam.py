from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tlda.errors import UserError
from tlda.evaluation.grad_cam import Grid, Network, grad_cam, spatial_stages, usual_stage
from tlda.evaluation.perturbed import perturbed
from tlda.models import backbones

# Two channels of 4 x 4 places, and what three classes make of them.
CHANNELS = np.zeros((1, 4, 4, 2), np.float32)
CHANNELS[0, 0, 0], CHANNELS[0, 1, 2], CHANNELS[0, 3, 3] = (4, 0), (1, 3), (2, 2)
WEIGHTS = np.array([[1.0, -1.0, -1.0], [0.0, 1.0, -2.0]], np.float32)


def _pooled(inputs: jax.Array) -> tuple[jax.Array, dict[str, Any]]:
  """A network whose only stage is its input, doubled; then the mean over places, and a layer."""
  stage = 2 * inputs
  return stage.mean((1, 2)) @ WEIGHTS, {'deep': {'stage1': (stage,)}}


def test_of_pooled_features_it_is_the_class_activation_map() -> None:
  """By hand, as Zhou et al. (CVPR 2016): channels weighed by those of the class, by the maximum."""
  maps = grad_cam(_pooled, np.repeat(CHANNELS, 3, 0), np.array([0, 1, 2]))
  expected = np.zeros((3, 4, 4))
  # Class 0 looks at the first channel: 4, 1, 2.
  expected[0, 0, 0], expected[0, 1, 2], expected[0, 3, 3] = 1, 1 / 4, 2 / 4
  # Class 1 at the second less the first: -4 is cut off, 3 - 1 is the maximum, 2 - 2 is nothing.
  expected[1, 1, 2] = 1
  # Nothing speaks for class 2.
  np.testing.assert_allclose(maps, expected, atol=1e-6)


def test_every_way_to_the_logits_counts() -> None:
  """One beside the other: the second channel's weight is 1 by one way and -3 by the other."""

  def network(inputs: jax.Array) -> tuple[jax.Array, dict[str, Any]]:
    stage = jnp.tanh(inputs)
    beside = (stage * jnp.array([0.0, -3.0])).mean((1, 2)).sum(1, keepdims=True)
    return stage.mean((1, 2)).sum(1, keepdims=True) + beside, {'stage1': (stage,)}

  maps = grad_cam(network, CHANNELS, np.array([0]))
  values = np.maximum(np.tanh(CHANNELS[0]) @ [1.0, -2.0], 0)
  np.testing.assert_allclose(maps[0], values / values.max(), atol=1e-6)


class _Transformer(nn.Module):
  """A stub: patches of 2 x 2 pixels as tokens, a class token where asked for, two blocks."""

  class_token: bool

  @nn.compact
  def __call__(self, images: jax.Array) -> jax.Array:
    batch, rows, columns = images.shape[0], images.shape[1] // 2, images.shape[2] // 2
    patches = images.reshape(batch, rows, 2, columns, 2, -1).swapaxes(2, 3)
    x = nn.Dense(6)(patches.reshape(batch, rows * columns, -1))
    if self.class_token:
      x = jnp.concatenate([jnp.zeros((batch, 1, 6)), x], axis=1)
    for stage in (1, 2):
      x = x + nn.MultiHeadDotProductAttention(2)(x)
      self.sow('intermediates', f'stage{stage}', x)
    return nn.Dense(3)(x[:, 0] if self.class_token else x.mean(1))


def _bound(module: nn.Module, inputs: np.ndarray) -> Network:
  """Binds a module to weights: a pure function of its inputs."""
  variables = jax.jit(module.init)(jax.random.key(0), inputs)

  def network(inputs: jax.Array) -> tuple[jax.Array, Any]:
    logits, sown = module.apply(variables, inputs, mutable=['intermediates'])
    return logits, sown['intermediates']

  return network


def _of_all_classes(network: Network, images: np.ndarray, **options: Any) -> np.ndarray:
  """Of which class weights as they are drawn have any sign is chance; of some they have."""
  maps = [grad_cam(network, images, np.full(len(images), k), **options) for k in range(3)]
  return np.concatenate(maps)


@pytest.mark.parametrize('class_token', [True, False])
def test_tokens_are_laid_out_as_the_patches(class_token: bool) -> None:
  images = np.random.default_rng(0).normal(size=(2, 8, 16, 3)).astype(np.float32)
  network = _bound(_Transformer(class_token), images)
  grids = spatial_stages(network, images)
  assert grids == dict.fromkeys(('stage1', 'stage2'), Grid(4, 8, tokens=True))
  assert usual_stage(grids) == 'stage1'
  maps = _of_all_classes(network, images)
  assert maps.shape == (6, 4, 8)
  assert (maps.min(), maps.max()) == (0, 1)
  # A class token alone is read after the last block: none of the patches is.
  assert _of_all_classes(network, images, stage='stage2').any() != class_token


def test_tokens_by_differences() -> None:
  """The gradient from differences of a network that begins at the stage."""
  images = np.random.default_rng(1).normal(size=(1, 8, 8, 3)).astype(np.float32)
  mix = np.random.default_rng(2).normal(size=(17, 17)) / 4

  def after(tokens: Any, tanh: Callable[[Any], Any]) -> Any:
    return tanh(mix @ tokens)[:, 0].sum(-1, keepdims=True)

  def network(images: jax.Array) -> tuple[jax.Array, dict[str, Any]]:
    patches = images.reshape(1, 4, 2, 4, 2, 3).swapaxes(2, 3).reshape(1, 16, 12)
    tokens = jnp.concatenate([jnp.ones((1, 1, 12)), patches], axis=1)
    return after(tokens, jnp.tanh), {'stage1': (tokens,)}

  tokens = np.asarray(network(jnp.asarray(images))[1]['stage1'][0], np.float64)
  slopes = np.zeros_like(tokens)
  for place in np.ndindex(tokens.shape):
    step = np.zeros_like(tokens)
    step[place] = 1e-5
    high, low = after(tokens + step, np.tanh), after(tokens - step, np.tanh)
    slopes[place] = (high - low).item() / 2e-5
  expected = np.maximum(tokens[0, 1:] @ slopes[0, 1:].mean(0), 0).reshape(4, 4)
  maps = grad_cam(network, images, np.array([0]))
  np.testing.assert_allclose(maps[0], expected / expected.max(), atol=1e-4)


@pytest.mark.parametrize(
  ('name', 'size', 'stage', 'grid'),
  [('mnist_net', 28, 'stage2', 4), ('resnet18', 96, 'stage3', 6)],
)
def test_backbones(name: str, size: int, stage: str, grid: int) -> None:
  net = backbones.network(name, classes=3)
  images = np.random.default_rng(0).normal(size=(2, size, size, 3)).astype(np.float32)
  network = _bound(nn.Sequential([net.extractor, net.head]), images)
  assert usual_stage(spatial_stages(network, images)) == stage
  maps = _of_all_classes(network, images)
  assert maps.shape == (6, grid, grid)
  assert (maps.min(), maps.max()) == (0, 1)


def test_a_shift_of_a_stage_reaches_what_follows_only() -> None:
  def function(x: jax.Array) -> dict[str, jax.Array]:
    stage = 3 * x
    return {'after': jnp.sin(stage).sum(), 'before': x + 1, 'stage': stage}

  inputs = jnp.array([0.1, 0.2])
  run, constants = perturbed(function, inputs, 2)
  after, before, stage = run(constants, inputs, jnp.array([1.0, 0.0]))
  np.testing.assert_allclose(after, np.sin(1.3) + np.sin(0.6), rtol=1e-6)
  np.testing.assert_allclose(before, [1.1, 1.2], rtol=1e-6)
  np.testing.assert_allclose(stage, [1.3, 0.6], rtol=1e-6)


def test_refusals() -> None:
  def refused(sentence: str, network: Network, classes: Any, **options: Any) -> None:
    with pytest.raises(UserError, match=sentence):
      grad_cam(network, CHANNELS, np.array(classes), **options)

  refused('from 0 to 2', _pooled, [3])
  refused('there are 1 images', _pooled, [0, 1])
  refused('there are 1 images', _pooled, [0.0])
  refused("did you mean 'stage1'", _pooled, [0], stage='stage7')
  refused('sees vectors', lambda x: (x.mean((1, 2)), {'stage1': (x.mean((1, 2)),)}), [0])
  refused('no part of the way', lambda x: (x.mean((1, 2)), {'stage1': (x**2,)}), [0])
  refused('no part of the way', lambda x: (x.mean((1, 2)), {'stage1': (x,)}), [0])
