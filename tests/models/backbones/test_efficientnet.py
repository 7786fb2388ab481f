"""EfficientNet-Lite0: published sizes and names, and the published weights on photographs."""

import re
import zlib
from functools import partial
from typing import Any

import jax
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image

from scripts import _reference_inputs
from tests.models import numpy_layers, reference
from tlda.models import pretrained
from tlda.models.backbones import EfficientNet
from tlda.models.backbones.efficientnet import MBConv

IMAGE = np.zeros((1, 224, 224, 3), np.float32)
# What is seen: a temple in China, a flower like a daisy, a cat, a cup of coffee; and of ImageNet's
# classes those that say so.
CLASSES = {
  'china': {698},  # palace
  'flower': {985},  # daisy
  'chelsea': {281, 282, 285},  # tabby, tiger cat, Egyptian cat
  'coffee': {967},  # espresso
}


def photograph(name: str) -> np.ndarray:
  if name in ('china', 'flower'):
    return load_sample_image(f'{name}.jpg')
  return np.asarray(Image.open(reference.DATA / f'{name}.jpg'))


def test_size_is_the_published_one() -> None:
  params = reference.shapes(EfficientNet(), IMAGE)['params']
  head = 1000 * (1280 + 1)
  assert sum(leaf.size for leaf in jax.tree.leaves(params)) + head == 4_652_008


def test_layers_are_the_stem_each_block_and_the_head() -> None:
  layers = EfficientNet().layers
  blocks = [(f'blocks_{place}',) for place in range(16)]
  assert layers == (('conv_stem', 'bn0'), *blocks, ('conv_head', 'bn1'))


def test_names_and_shapes_are_those_of_the_file() -> None:
  backbone, arrays = EfficientNet(), reference.published('efficientnet_lite0')
  ours = {
    name: shape for _, name, shape in reference.named(backbone, reference.shapes(backbone, IMAGE))
  }
  known = backbone.published
  wanted = {
    name: array.shape
    for name, array in arrays.items()
    if not name.startswith(known.head)
    and not any(re.fullmatch(pattern, name) for pattern in known.ignored)
  }
  assert ours == wanted
  assert len(arrays) == 296


def test_photographs_get_pytorch_s_logits_and_plausible_classes() -> None:
  backbone, arrays, expected = (
    EfficientNet(),
    reference.published('efficientnet_lite0'),
    reference.outputs('lite0'),
  )
  pixels = [_reference_inputs.crop(photograph(name)) for name in expected['names']]
  assert [zlib.crc32(crop.tobytes()) for crop in pixels] == expected['pixels_crc32'].tolist()
  known = backbone.published
  images = (np.stack(pixels) / 255 - known.mean) / known.std
  variables = pretrained.load(backbone, reference.shapes(backbone, IMAGE), arrays)
  features = jax.jit(backbone.apply)(variables, images.astype(np.float32))
  logits = np.asarray(features) @ arrays['_fc.weight'].T + arrays['_fc.bias']
  np.testing.assert_allclose(logits, expected['logits'], atol=1e-4)
  for name, row in zip(expected['names'], logits, strict=True):
    assert row.argmax() in CLASSES[name], name


def test_stages_halve_the_image() -> None:
  backbone = EfficientNet()
  run = partial(backbone.apply, mutable=['intermediates'])
  features, sown = jax.eval_shape(run, reference.shapes(backbone, IMAGE), IMAGE)
  assert features.shape == (1, 1280)
  sizes = [sown['intermediates'][f'stage{stage}'][0].shape[1:] for stage in range(1, 9)]
  assert [side for side, _, _ in sizes] == [112, 56, 28, 14, 14, 7, 7, 7]
  assert [width for *_, width in sizes] == [16, 24, 40, 80, 112, 192, 320, 1280]


@pytest.mark.parametrize(('expansion', 'stride', 'width'), [(1, 1, 4), (6, 2, 4), (2, 1, 6)])
def test_a_block_equals_numpy(expansion: int, stride: int, width: int) -> None:
  x = np.random.default_rng(0).normal(size=(2, 6, 6, 4)).astype(np.float32)
  block = MBConv(3, stride, expansion, width, 'joint', 1)
  values = numpy_layers.variables(block, x, domain=0, train=False)
  weights = values['params']

  def normalize(x: np.ndarray, name: str) -> np.ndarray:
    return x / np.sqrt(1 + 1e-3) * weights[name]['scale'] + weights[name]['bias']

  values = {**values, 'batch_stats': jax.tree.map(np.copy, values['batch_stats'])}
  for statistics in values['batch_stats'].values():
    statistics['mean'] = np.zeros_like(statistics['mean'])
  relu6 = lambda x: np.clip(x, 0, 6)
  inside = x
  if expansion > 1:
    inside = numpy_layers.convolve(inside, weights['expand_conv']['kernel'])
    inside = relu6(normalize(inside, 'bn0'))
  inside = depthwise(inside, weights['depthwise_conv']['kernel'], stride)
  inside = relu6(normalize(inside, 'bn1'))
  inside = numpy_layers.convolve(inside, weights['project_conv']['kernel'])
  expected = normalize(inside, 'bn2')
  expected = expected + x if stride == 1 and width == 4 else expected
  got = block.apply(values, x, domain=0, train=False)
  np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def depthwise(x: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
  """Pads a 6x6 image for a 3x3 kernel as TensorFlow does: with stride 2 at the end only."""
  first = 1 if stride == 1 else 0
  padded = np.pad(x.astype(np.float64), ((0, 0), (first, 1), (first, 1), (0, 0)))
  each: list[Any] = [
    numpy_layers.convolve(padded[..., [c]], kernel[..., [c]], stride) for c in range(x.shape[-1])
  ]
  return np.concatenate(each, axis=-1)
