"""Adapters: by hand, behind which layers they stand, and the backbone's output at first."""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.models import numpy_layers
from tests.models.wrapped import Kinds
from tlda.models import backbones
from tlda.models.adapters import Adapters

IMAGES = np.random.default_rng(0).normal(size=(4, 12, 12, 3)).astype(np.float32)


class Two(nn.Module):
  """Two layers that each double."""

  @property
  def layers(self) -> tuple[tuple[str, ...], ...]:
    return ('first',), ('last',)

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    return Double(name='last')(Double(name='first')(inputs))


class Double(nn.Module):
  """Has no parameters."""

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    return 2 * x


def gelu(x: np.ndarray) -> np.ndarray:
  """The approximation by tanh (Hendrycks, Gimpel, 2016)."""
  return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


@pytest.mark.parametrize('shape', [(1, 2), (1, 3, 2), (1, 2, 2, 2)])
def test_by_hand(shape: tuple[int, ...]) -> None:
  """Vectors, tokens, and pixels: y = 4 x; y + gelu([1 -1] y + .5) [3 0] + [0 1]."""
  adapter = {
    'down': {'kernel': jnp.array([[1.0], [-1.0]]), 'bias': jnp.array([0.5])},
    'up': {'kernel': jnp.array([[3.0, 0.0]]), 'bias': jnp.array([0.0, 1.0])},
  }
  x = np.arange(np.prod(shape), dtype=np.float64).reshape(shape) / 4
  y = 4 * x
  hidden = gelu(y[..., :1] - y[..., 1:] + 0.5)
  expected = y + np.concatenate([3 * hidden, np.ones_like(hidden)], axis=-1)
  found = Adapters(Two(), 1).apply({'params': {'adapters': {'last': adapter}}}, jnp.float32(x))
  np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_first_output_is_the_backbones() -> None:
  module = Adapters(Kinds(), 3)
  values = module.init(jax.random.key(0), IMAGES)
  adapters = values['params']['adapters']
  assert set(adapters) == {'grouped', 'pooled', 'narrow', 'block'}
  assert adapters['pooled']['down']['kernel'].shape == (5, 3)
  assert adapters['pooled']['down']['kernel'].any()
  bare = {name: tree['backbone'] for name, tree in values.items()}
  np.testing.assert_array_equal(module.apply(values, IMAGES), Kinds().apply(bare, IMAGES))


def test_stages_are_those_after_the_adapters() -> None:
  module = Adapters(Kinds(), 3)
  values = numpy_layers.variables(module, IMAGES)
  _, sown = module.apply(values, IMAGES, mutable=['intermediates'])
  stage = sown['intermediates']['backbone']['stage1'][0]
  grouped = {'adapters': {'grouped': values['params']['adapters']['grouped']}}
  rest = jax.tree.map(np.zeros_like, values['params']['adapters'])
  params = values['params'] | {'adapters': rest | grouped['adapters']}
  _, other = module.apply({**values, 'params': params}, IMAGES, mutable=['intermediates'])
  before = np.asarray(other['intermediates']['backbone']['stage1'][0], np.float64)
  own = jax.tree.map(np.float64, values['params']['adapters']['pooled'])
  hidden = gelu(before @ own['down']['kernel'] + own['down']['bias'])
  expected = before + hidden @ own['up']['kernel'] + own['up']['bias']
  np.testing.assert_allclose(stage, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
  ('name', 'inputs', 'places'),
  [
    (
      'resnet18',
      (32, 32, 3),
      [f'layer{stage}_{block}' for stage in (1, 2, 3, 4) for block in '01'],
    ),
    ('vit_s16', (32, 32, 3), [*(f'blocks_{block}' for block in range(12)), 'norm']),
    ('minilm', (9,), [f'layer_{layer}' for layer in range(6)]),
  ],
)
def test_places_in_real_backbones(name: str, inputs: tuple[int, ...], places: list[str]) -> None:
  wrap = lambda backbone: Adapters(backbone, 8)
  extractor = backbones.network(name, classes=2, bottleneck=0, wrap=wrap).extractor
  made = jax.eval_shape(extractor.init, jax.random.key(0), jnp.zeros((1, *inputs)))
  assert sorted(made['params']['adapters']) == sorted(places)
