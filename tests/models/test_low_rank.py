"""LoRA: by hand and against NumPy; what has a product and what has none; merged, it is the same."""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import traverse_util
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

from tests.models import numpy_layers
from tests.models.wrapped import Kinds
from tlda import axis
from tlda.models import backbones
from tlda.models.low_rank import LowRank

IMAGES = np.random.default_rng(0).normal(size=(8, 12, 12, 3)).astype(np.float32)


class One(nn.Module):
  """A backbone of one layer, whichever."""

  layer: nn.Module

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    return self.layer(inputs)


def drawn(module: nn.Module, inputs: Any) -> Any:
  return numpy_layers.variables(module, inputs)


def paths(tree: Any) -> set[str]:
  return set(traverse_util.flatten_dict(tree, sep='/'))


def test_dense_by_hand() -> None:
  """X W + b = [1, 2] [[1, 0], [0, 1]] + [5, 5]; x A = 1 + 2 * 3 = 7; 7 B = [7, -14]; times 4/1."""
  module = LowRank(One(nn.Dense(2)), rank=1, alpha=4.0)
  params = {
    'backbone': {'layer': {'kernel': jnp.eye(2), 'bias': jnp.full(2, 5.0)}},
    'low_rank': {'layer': {'down': {'kernel': [[1.0], [3.0]]}, 'up': {'kernel': [[1.0, -2.0]]}}},
  }
  params = jax.tree.map(jnp.asarray, params, is_leaf=lambda x: isinstance(x, list))
  found = module.apply({'params': params}, jnp.array([[1.0, 2.0]]))
  np.testing.assert_array_equal(found, [[1 + 5 + 28, 2 + 5 - 56]])


def test_strided_convolution_equals_numpy() -> None:
  module = LowRank(One(nn.Conv(5, (3, 3), (2, 2), padding=1)), rank=2, alpha=3.0)
  values = drawn(module, IMAGES)
  own, product = values['params']['backbone']['layer'], values['params']['low_rank']['layer']
  whole = numpy_layers.convolve(IMAGES, own['kernel'], 2, 1) + own['bias']
  down = numpy_layers.convolve(IMAGES, product['down']['kernel'], 2, 1)
  expected = whole + 3 / 2 * down @ product['up']['kernel'].astype(np.float64)
  np.testing.assert_allclose(module.apply(values, IMAGES), expected, rtol=1e-4, atol=1e-5)


def test_the_first_output_is_the_backbones() -> None:
  values = LowRank(Kinds()).init(jax.random.key(0), IMAGES)
  bare = {name: tree['backbone'] for name, tree in values.items()}
  options = {'train': True, 'mutable': ['batch_stats', 'intermediates']}
  features, written = LowRank(Kinds()).apply(values, IMAGES, **options)
  wanted, own = Kinds().apply(bare, IMAGES, **options)
  np.testing.assert_array_equal(features, wanted)
  jax.tree.map(np.testing.assert_array_equal, {n: t['backbone'] for n, t in written.items()}, own)


def test_only_dense_layers_and_ungrouped_convolutions_have_a_product() -> None:
  params = jax.eval_shape(LowRank(Kinds(), rank=2).init, jax.random.key(0), IMAGES)['params']
  assert paths(params['low_rank']) == {
    f'{layer}/{factor}/kernel'
    for layer in ('stem', 'narrow', 'block/in', 'block/out')
    for factor in ('down', 'up')
  }
  stem = params['low_rank']['stem']
  assert (stem['down']['kernel'].shape, stem['up']['kernel'].shape) == ((3, 3, 3, 2), (2, 4))
  chosen = LowRank(Kinds(), pattern='block/in|pooled')
  params = jax.eval_shape(chosen.init, jax.random.key(0), IMAGES)['params']
  assert set(params['low_rank']) == {'block'}
  assert set(params['low_rank']['block']) == {'in'}
  none = jax.eval_shape(LowRank(Kinds(), pattern='pooled').init, jax.random.key(0), IMAGES)
  assert set(none['params']) == {'backbone'}


@pytest.mark.parametrize(
  ('name', 'inputs'),
  [
    ('efficientnet_lite0', (32, 32, 3)),
    ('minilm', (9,)),
    ('resnet50', (32, 32, 3)),
    ('vgg16', (32, 32, 3)),
    ('vit_s16', (32, 32, 3)),
  ],
)
def test_every_linear_map_of_a_real_backbone_has_a_product(
  name: str, inputs: tuple[int, ...]
) -> None:
  extractor = backbones.network(name, classes=2, bottleneck=0, wrap=LowRank).extractor
  made = jax.eval_shape(extractor.init, jax.random.key(0), jnp.zeros((1, *inputs)))['params']
  kernels = {path for path in paths(made['backbone']) if path.endswith('/kernel')}
  have = {path.replace('/up/', '/') for path in paths(made['low_rank']) if '/up/' in path}
  assert have
  assert have == {path for path in kernels if 'depthwise' not in path}


def test_factors_are_drawn_apart_and_the_last_is_zero() -> None:
  module = LowRank(One(nn.Dense(300)), rank=200)
  params = module.init(jax.random.key(1), np.ones((1, 400), np.float32))['params']
  product = params['low_rank']['layer']
  assert not product['up']['kernel'].any()
  # Normal, of variance 1 / 400: 80,000 numbers, of which 4.6 % are beyond two deviations.
  scaled = np.asarray(product['down']['kernel']) * 20
  assert abs(scaled.std() - 1) < 0.02
  assert 0.04 < (np.abs(scaled) > 2).mean() < 0.052
  layers = LowRank(Kinds()).init(jax.random.key(1), IMAGES)['params']['low_rank']['block']
  assert (layers['in']['down']['kernel'][:7, 0] != layers['out']['down']['kernel'][:, 0]).any()


@pytest.mark.parametrize('train', [False, True])
def test_merged_the_bare_backbone_does_the_same(train: bool) -> None:
  module = LowRank(Kinds(), rank=3, alpha=2.0)
  values = drawn(module, IMAGES)
  bare = {
    'params': module.merged(values['params']),
    'batch_stats': values['batch_stats']['backbone'],
  }
  assert paths(bare['params']) == paths(drawn(Kinds(), IMAGES)['params'])
  options = {'train': train, 'mutable': ['batch_stats']}
  wanted, _ = module.apply(values, IMAGES, **options)
  found, _ = Kinds().apply(bare, IMAGES, **options)
  np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
  without, _ = Kinds().apply({**bare, 'params': values['params']['backbone']}, IMAGES, **options)
  assert np.abs(without - wanted).max() > 0.01


def test_two_calls_and_seeds_under_vmap_and_devices_agree() -> None:
  class Twice(nn.Module):
    extractor: nn.Module

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
      return self.extractor(x) + self.extractor(2 * x, train=False)

  module = Twice(LowRank(Kinds(), rank=2))
  make = functools.partial(module.init, x=IMAGES)
  several = jax.vmap(make)(jax.random.split(jax.random.key(0), 2))
  several = jax.tree.map(lambda x: x + 0.1 * jnp.cos(jnp.arange(x.size).reshape(x.shape)), several)
  together = jax.vmap(lambda values: module.apply(values, IMAGES))(several)
  mesh = jax.make_mesh((8,), (axis.AXIS,), axis_types=(AxisType.Auto,))
  spread = jax.jit(
    jax.shard_map(
      module.apply,
      mesh=mesh,
      in_specs=(P(), P(axis.AXIS)),
      out_specs=P(axis.AXIS),
      check_vma=False,
    )
  )
  for seed in range(2):
    values = jax.tree.map(lambda x, seed=seed: x[seed], several)
    alone = LowRank(Kinds(), rank=2)
    inner = {name: tree['extractor'] for name, tree in values.items()}
    expected = alone.apply(inner, IMAGES) + alone.apply(inner, 2 * IMAGES)
    np.testing.assert_allclose(together[seed], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(spread(values, IMAGES), expected, rtol=1e-4, atol=1e-5)


def test_bfloat16_stays() -> None:
  module = LowRank(Kinds(), rank=2)
  values = jax.tree.map(lambda x: jnp.asarray(x, jnp.bfloat16), drawn(module, IMAGES))
  found = module.apply(values, jnp.asarray(IMAGES, jnp.bfloat16))
  assert found.dtype == jnp.bfloat16
  assert jnp.isfinite(found).all()
