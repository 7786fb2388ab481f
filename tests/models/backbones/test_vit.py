"""Vision transformers: published sizes and names, timm's features, other image sizes."""

import jax
import numpy as np
import pytest

from tests.models import numpy_layers, reference
from tlda.models.backbones import ViT
from tlda.models.backbones.vit import LAYOUTS

IMAGE = np.zeros((1, 224, 224, 3), np.float32)
# Of timm's networks, the last layer for 1,000 classes included.
SIZES = {'vit_s16': 22_050_664, 'vit_b16': 86_567_656}
RNG = np.random.default_rng(0)


@pytest.mark.parametrize('name', SIZES)
def test_sizes_are_the_published_ones(name: str) -> None:
  params = reference.shapes(ViT(*LAYOUTS[name]), IMAGE)['params']
  head = 1000 * (LAYOUTS[name][0] + 1)
  assert sum(leaf.size for leaf in jax.tree.leaves(params)) + head == SIZES[name]


def test_names_and_shapes_are_the_published_ones() -> None:
  backbone = ViT(*LAYOUTS['vit_s16'])
  found = {
    name: shape for _, name, shape in reference.named(backbone, reference.shapes(backbone, IMAGE))
  }
  assert found['cls_token'] == (1, 1, 384)
  assert found['pos_embed'] == (1, 197, 384)
  assert found['patch_embed.proj.weight'] == (384, 3, 16, 16)
  assert found['norm.bias'] == (384,)
  block = {name.removeprefix('blocks.11.'): shape for name, shape in found.items()}
  assert block['attn.qkv.weight'] == (1152, 384)
  assert block['attn.proj.bias'] == block['norm1.weight'] == block['norm2.bias'] == (384,)
  assert block['mlp.fc1.weight'] == (1536, 384)
  assert block['mlp.fc2.weight'] == (384, 1536)
  assert len(found) == 4 + 12 * 12 + 2


def test_layers_are_the_embedding_each_block_and_the_last_normalisation() -> None:
  blocks = [(f'blocks_{place}',) for place in range(12)]
  first = ('patch_embed', 'cls_token', 'pos_embed')
  assert ViT(*LAYOUTS['vit_b16']).layers == (first, *blocks, ('norm',))


def test_features_are_timm_s() -> None:
  reference.assert_drawn_agree('vit_s16', ViT(*LAYOUTS['vit_s16']))


def test_stages_are_the_blocks_tokens() -> None:
  backbone = ViT(32, 2, depth=2)
  image = np.zeros((3, 48, 33, 3), np.float32)
  values = numpy_layers.variables(backbone, image)
  _, variables = jax.eval_shape(lambda: backbone.apply(values, image, mutable=['intermediates']))
  sown = variables['intermediates']
  assert {name: leaf[0].shape for name, leaf in sown.items()} == {
    'stage1': (3, 1 + 3 * 2, 32),
    'stage2': (3, 1 + 3 * 2, 32),
  }


def test_position_embeddings_follow_the_image_size() -> None:
  """The class token's stays; a plane stays a plane away from the border."""
  rows, columns = np.meshgrid(np.arange(14) + 0.5, np.arange(14) + 0.5, indexing='ij')
  plane = np.stack([rows, columns, np.full((14, 14), 3.0)], -1).reshape(1, 196, 3)
  published = np.concatenate([np.full((1, 1, 3), 9.0), plane], axis=1).astype(np.float32)
  got = ViT(3, 1).adapt('pos_embed', published, (1, 1 + 7 * 7, 3))
  assert got.shape == (1, 50, 3)
  np.testing.assert_array_equal(got[:, 0], published[:, 0])
  grid = got[0, 1:].reshape(7, 7, 3)
  inner = 2 * (np.arange(1, 6) + 0.5)
  np.testing.assert_allclose(grid[1:6, :, 0], np.repeat(inner[:, None], 7, 1), rtol=1e-5)
  np.testing.assert_allclose(grid[:, 1:6, 1], np.repeat(inner[None], 7, 0), rtol=1e-5)
  np.testing.assert_allclose(grid[..., 2], 3.0, rtol=1e-5)


def test_other_tensors_are_not_adapted() -> None:
  backbone, kernel = ViT(4, 1), RNG.normal(size=(12, 4))
  assert backbone.adapt('blocks.0.attn.qkv.weight', kernel, (4, 12)) is kernel
  places = RNG.normal(size=(1, 5, 4))
  assert backbone.adapt('pos_embed', places, (1, 5, 4)) is places
  narrow = RNG.normal(size=(1, 5, 3))
  assert backbone.adapt('pos_embed', narrow, (1, 10, 4)) is narrow
