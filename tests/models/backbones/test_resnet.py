"""Residual networks: published sizes, published names, and a block against NumPy."""

import itertools
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.models import numpy_layers, reference
from tlda.models import Linear, Normalization, backbones
from tlda.models.backbones import ResNet
from tlda.models.backbones.resnet import LAYOUTS, Block

# Of torchvision's networks, the last layer for 1,000 classes included.
PUBLISHED = {
  'resnet18': 11_689_512,
  'resnet34': 21_797_672,
  'resnet50': 25_557_032,
  'resnet101': 44_549_160,
}


def normalize(x: np.ndarray, params: Any) -> np.ndarray:
  return numpy_layers.normalize(x) * params['scale'] + params['bias']


def abstract(name: str, normalization: str = 'joint') -> Any:
  image = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
  return jax.eval_shape(ResNet(*LAYOUTS[name], normalization).init, jax.random.key(0), image)


@pytest.mark.parametrize('name', PUBLISHED)
def test_sizes_are_the_published_ones(name: str) -> None:
  width = jax.ShapeDtypeStruct((1, 2048 if LAYOUTS[name][1] else 512), jnp.float32)
  head = jax.eval_shape(Linear(1000).init, jax.random.key(0), width)
  sizes = [leaf.size for leaf in jax.tree.leaves((abstract(name)['params'], head))]
  assert sum(sizes) == PUBLISHED[name]


def test_resnet20_is_that_of_the_paper_but_for_its_shortcuts() -> None:
  """Section 4.2: 3x3 convolutions of 16, 32 and 64 channels on 32, 16 and 8 pixels."""
  network = backbones.network('resnet20', classes=10)
  image = jax.ShapeDtypeStruct((1, 32, 32, 3), jnp.float32)
  made = jax.eval_shape(network.extractor.init, jax.random.key(0), image)
  run = partial(network.extractor.apply, mutable=['intermediates'])
  features, sown = jax.eval_shape(run, made, image)
  shapes = [sown['intermediates'][f'stage{stage}'][0].shape for stage in (1, 2, 3)]
  assert shapes == [(1, 32, 32, 16), (1, 16, 16, 32), (1, 8, 8, 64)]
  head = jax.eval_shape(network.head.init, jax.random.key(0), features)
  size = sum(leaf.size for leaf in jax.tree.leaves((made['params'], head)))
  # 19 convolutions, each with scale and bias for its channels, and 64 x 10 + 10; two shortcuts.
  channels = [3, *[16] * 7, *[32] * 6, *[64] * 6]
  layers = [9 * a * b + 2 * b for a, b in itertools.pairwise(channels)]
  assert sum(layers) + 650 == 269_722
  assert size == 269_722 + (16 * 32 + 2 * 32) + (32 * 64 + 2 * 64)


def test_names_are_the_published_ones() -> None:
  params = abstract('resnet50')['params']
  assert set(params) == {'conv1', 'bn1'} | {
    f'layer{stage}_{block}'
    for stage, blocks in enumerate((3, 4, 6, 3), 1)
    for block in range(blocks)
  }
  plain = {'conv1', 'bn1', 'conv2', 'bn2', 'conv3', 'bn3'}
  assert set(params['layer1_0']) == plain | {'downsample_0', 'downsample_1'}
  assert set(params['layer4_2']) == plain
  assert params['layer4_0']['downsample_0']['kernel'].shape == (1, 1, 1024, 2048)


def test_ibn_a_is_the_first_normalisation_of_each_block_but_the_last_stage() -> None:
  modes = {}

  def listen(call: Any, args: Any, kw: Any, context: nn.module.InterceptorContext) -> Any:
    if isinstance(context.module, Normalization):
      modes[context.module.path] = context.module.mode
    return call(*args, **kw)

  with nn.intercept_methods(listen):
    made = abstract('resnet18', 'ibn')
  blocks = [f'layer{stage}_{place}' for stage in (1, 2, 3) for place in (0, 1)]
  assert {path for path, mode in modes.items() if mode == 'ibn'} == {(b, 'bn1') for b in blocks}
  assert {mode for mode in modes.values() if mode != 'ibn'} == {'joint'}
  assert jax.tree.map(jnp.shape, made) == jax.tree.map(jnp.shape, abstract('resnet18'))


@pytest.mark.parametrize(
  ('kernels', 'widths', 'strides'),
  [((1, 3, 1), (4, 4, 16), (1, 2, 1)), ((3, 3), (4, 4), (2, 1)), ((3, 3), (8, 8), (1, 1))],
)
def test_a_block_equals_numpy(
  kernels: tuple[int, ...], widths: tuple[int, ...], strides: tuple[int, ...]
) -> None:
  x = np.random.default_rng(0).normal(size=(3, 6, 6, 8)).astype(np.float32)
  block = Block(kernels, widths, strides, 'joint', 1)
  values = numpy_layers.variables(block, x, domain=0, train=False)
  weights = values['params']
  expected = x
  for place, (side, stride) in enumerate(zip(kernels, strides, strict=True), 1):
    expected = numpy_layers.relu(expected) if place > 1 else expected
    expected = numpy_layers.convolve(expected, weights[f'conv{place}']['kernel'], stride, side // 2)
    expected = normalize(expected, weights[f'bn{place}'])
  shortcut = x
  if 'downsample_0' in weights:
    shortcut = numpy_layers.convolve(x, weights['downsample_0']['kernel'], max(strides))
    shortcut = normalize(shortcut, weights['downsample_1'])
  run = jax.jit(partial(block.apply, domain=0, train=True, mutable=['batch_stats']))
  got, _ = run(values, x)
  np.testing.assert_allclose(got, numpy_layers.relu(expected + shortcut), rtol=1e-3, atol=1e-4)


def test_stages_halve_the_image() -> None:
  image = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
  module = ResNet(*LAYOUTS['resnet18'])
  run = partial(module.apply, mutable=['intermediates'])
  features, sown = jax.eval_shape(run, abstract('resnet18'), image)
  assert features.shape == (1, 512)
  shapes = [sown['intermediates'][f'stage{stage}'][0].shape for stage in (1, 2, 3, 4)]
  assert shapes == [(1, 16, 16, 64), (1, 8, 8, 128), (1, 4, 4, 256), (1, 2, 2, 512)]


@pytest.mark.parametrize('name', ['resnet18', 'resnet50'])
def test_features_are_pytorch_s(name: str) -> None:
  reference.assert_drawn_agree(name, ResNet(*LAYOUTS[name]))
