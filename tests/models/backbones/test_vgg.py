"""VGG-16: published sizes and names, and PyTorch's features under the same weights."""

import jax
import numpy as np
import pytest

from tests.models import reference
from tlda.models.backbones import VGG

IMAGE = np.zeros((1, 224, 224, 3), np.float32)
# Of torchvision's networks, the last layer for 1,000 classes included.
SIZES = {False: 138_357_544, True: 138_365_992}


@pytest.mark.parametrize('normalized', [False, True])
def test_sizes_are_the_published_ones(normalized: bool) -> None:
  params = reference.shapes(VGG(normalized=normalized), IMAGE)['params']
  head = 1000 * (4096 + 1)
  assert sum(leaf.size for leaf in jax.tree.leaves(params)) + head == SIZES[normalized]


def test_names_are_the_published_ones() -> None:
  backbone = VGG()
  names = {name for _, name, _ in reference.named(backbone, reference.shapes(backbone, IMAGE))}
  places = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
  modules = [f'features.{place}' for place in places] + ['classifier.0', 'classifier.3']
  assert names == {f'{module}.{leaf}' for module in modules for leaf in ('weight', 'bias')}
  assert backbone.layers[0] == ('features_0',)
  assert backbone.layers[-3:] == (('features_28',), ('classifier_0',), ('classifier_3',))


def test_a_normalisation_is_in_the_layer_of_its_convolution() -> None:
  layers = VGG(normalized=True).layers
  assert layers[:3] == (
    ('features_0', 'features_1'),
    ('features_3', 'features_4'),
    ('features_7', 'features_8'),
  )
  assert layers[12] == ('features_40', 'features_41')


@pytest.mark.parametrize('name', ['vgg16', 'vgg16_bn'])
def test_features_are_pytorch_s(name: str) -> None:
  """At 64x64 the convolutions' 2x2 pixels are spread over 7x7."""
  reference.assert_drawn_agree(name, VGG(normalized=name == 'vgg16_bn'))


def test_training_drops_half_of_the_features() -> None:
  backbone = VGG(stages=((2,),), width=64)
  image = np.random.default_rng(0).normal(size=(8, 14, 14, 3)).astype(np.float32)
  values = backbone.init(jax.random.key(0), image)
  run = lambda train: backbone.apply(
    values, image, train=train, rngs={'dropout': jax.random.key(1)}
  )
  used = run(False) > 0
  kept = (run(True) > 0)[used]
  assert 0.2 < kept.mean() < 0.8
