"""A file's arrays take the place of a backbone's, all of them, or a table says why not."""

from pathlib import Path
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import serialization

from tests.models import torch_bytes as tb
from tests.models.test_weights_safetensors import entry, made
from tlda.errors import UserError
from tlda.models import backbones, pretrained
from tlda.models.normalization import Normalization
from tlda.models.published import Published


class Small(nn.Module):
  """A convolution, a depthwise one, normalisation and a dense layer."""

  normalization: str = 'joint'

  published: ClassVar[Published] = Published(size=4, mean=(0.0,), std=(1.0,), head=('fc.',))

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    x = nn.Conv(6, (3, 2), use_bias=False, name='block_0')(x)
    x = nn.Conv(6, (3, 3), feature_group_count=6, use_bias=False, name='depth')(x)
    x = Normalization(self.normalization, 3, name='bn')(x)
    return nn.Dense(5, name='dense')(x.mean((1, 2)))


class Adapting(Small):
  """Has a position embedding, which it makes of one of another length."""

  published: ClassVar[Published] = Published(size=4, mean=(0.0,), std=(1.0,))

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    x = x + self.param('position', nn.initializers.zeros, (4, 1))
    return nn.Dense(2, name='dense')(x.mean((1, 2)))

  def adapt(self, name: str, array: np.ndarray, wanted: tuple[int, ...]) -> np.ndarray:
    """Takes every other row of the position embedding."""
    return array[::2].reshape(wanted) if name == 'position' else array


def shapes(backbone: nn.Module) -> dict[str, Any]:
  return jax.eval_shape(backbone.init, jax.random.key(0), jnp.zeros((1, 4, 4, 1)))


def theirs(**changed: np.ndarray | None) -> dict[str, np.ndarray]:
  """What PyTorch would publish for `Small`."""
  rng = np.random.default_rng(0)
  draw = lambda *shape: rng.normal(size=shape).astype(np.float32)
  arrays = {
    'block.0.weight': draw(6, 1, 3, 2),
    'depth.weight': draw(6, 1, 3, 3),
    'bn.weight': draw(6),
    'bn.bias': draw(6),
    'bn.running_mean': draw(6),
    'bn.running_var': draw(6) ** 2,
    'bn.num_batches_tracked': np.array(9),
    'dense.weight': draw(5, 6),
    'dense.bias': draw(5),
    'fc.weight': draw(10, 5),
    'fc.bias': draw(10),
  }
  return {name: array for name, array in (arrays | changed).items() if array is not None}


def test_layouts_are_turned_to_ours() -> None:
  arrays = theirs()
  found = pretrained.load(Small(), shapes(Small()), arrays)
  params = found['params']
  for o, i, y, x in np.ndindex(6, 1, 3, 2):
    assert params['block_0']['kernel'][y, x, i, o] == arrays['block.0.weight'][o, i, y, x]
  for o, y, x in np.ndindex(6, 3, 3):
    assert params['depth']['kernel'][y, x, 0, o] == arrays['depth.weight'][o, 0, y, x]
  for o, i in np.ndindex(5, 6):
    assert params['dense']['kernel'][i, o] == arrays['dense.weight'][o, i]
  for tree, leaf, name in [
    (params['bn'], 'scale', 'bn.weight'),
    (params['bn'], 'bias', 'bn.bias'),
    (params['dense'], 'bias', 'dense.bias'),
    (found['batch_stats']['bn'], 'mean', 'bn.running_mean'),
    (found['batch_stats']['bn'], 'var', 'bn.running_var'),
  ]:
    np.testing.assert_array_equal(tree[leaf], arrays[name], strict=True)
  assert jax.tree.map(lambda x: (x.shape, x.dtype), found) == jax.tree.map(
    lambda x: (x.shape, x.dtype), shapes(Small())
  )


@pytest.mark.parametrize('dtype', [np.float16, jnp.bfloat16, np.float64])
def test_other_floats_become_float32(dtype: Any) -> None:
  arrays = {name: array.astype(dtype) for name, array in theirs().items()}
  bias = pretrained.load(Small(), shapes(Small()), arrays)['params']['dense']['bias']
  np.testing.assert_array_equal(bias, arrays['dense.bias'].astype(np.float32), strict=True)


def test_each_domain_gets_the_published_normalisation() -> None:
  arrays, backbone = theirs(), Small('per_domain')
  found = pretrained.load(backbone, shapes(backbone), arrays)
  scale, mean = found['params']['bn']['scale'], found['batch_stats']['bn']['mean']
  np.testing.assert_array_equal(scale, np.stack([arrays['bn.weight']] * 3), strict=True)
  np.testing.assert_array_equal(mean, np.stack([arrays['bn.running_mean']] * 3), strict=True)


def test_a_table_says_what_differs() -> None:
  arrays = theirs(
    **{
      'dense.weight': np.zeros((6, 5), np.float32),
      'bn.weight': np.zeros(6, np.int64),
      'bn.bias': None,
      'bn.beta': np.zeros(6),
      'extra': np.zeros(1),
    }
  )
  with pytest.raises(UserError) as caught:
    pretrained.load(Small(), shapes(Small()), arrays)
  assert str(caught.value).splitlines() == [
    'the weights do not fit Small: 1 missing, 1 of another shape, 1 of another dtype, 2 surplus',
    '  missing:',
    '    bn.bias (nearest: bn.beta)',
    '  of another shape:',
    '    dense.weight: [6, 5] makes [5, 6], and [6, 5] is wanted',
    '  of another dtype:',
    '    bn.weight: int64, and float32 is wanted',
    '  surplus:',
    '    bn.beta',
    '    extra',
  ]


def test_a_long_table_is_cut() -> None:
  arrays = theirs(**{f'extra{number}': np.zeros(1) for number in range(8)})
  with pytest.raises(UserError) as caught:
    pretrained.load(Small(), shapes(Small()), arrays)
  assert str(caught.value).splitlines()[0] == 'the weights do not fit Small: 8 surplus'
  assert str(caught.value).splitlines()[-2:] == ['    extra4', '    ... and 3 more']


def test_what_may_be_missing_keeps_its_value() -> None:
  start = jax.tree.map(lambda x: jnp.full(x.shape, 7, x.dtype), shapes(Small()))
  arrays = theirs(**{'bn.bias': None, 'extra': np.zeros(1)})
  found = pretrained.load(Small(), start, arrays, allow_missing=True)
  np.testing.assert_array_equal(found['params']['bn']['bias'], [7] * 6)
  np.testing.assert_array_equal(found['params']['bn']['scale'], arrays['bn.weight'])
  with pytest.raises(UserError, match='Small: 1 of another shape\n'):
    wrong = arrays | {'dense.bias': np.zeros(4)}
    pretrained.load(Small(), start, wrong, allow_missing=True)


def test_another_architecture_is_no_missing_tensor() -> None:
  with pytest.raises(UserError, match='8 missing, 2 surplus'):
    arrays = {'a.weight': np.zeros(3), 'b.weight': np.zeros(3)}
    pretrained.load(Small(), shapes(Small()), arrays, allow_missing=True)


@pytest.mark.parametrize('join', ['/', '.'])
def test_our_own_names_and_layouts(join: str) -> None:
  wanted = pretrained.load(Small(), shapes(Small()), theirs())
  own = {
    join.join(part.key for part in path[1:]): leaf
    for path, leaf in jax.tree_util.tree_leaves_with_path(wanted)
  }
  assert f'block_0{join}kernel' in own
  found = pretrained.load(Small(), shapes(Small()), own)
  jax.tree.map(np.testing.assert_array_equal, found, wanted)
  whole = {f'extractor{join}backbone{join}{name}': array for name, array in own.items()}
  whole[f'head{join}kernel'] = np.zeros(1)
  found = pretrained.load(Small(), shapes(Small()), whole)
  jax.tree.map(np.testing.assert_array_equal, found, wanted)


def test_a_prefix_that_makes_everything_fit() -> None:
  wanted = pretrained.load(Small(), shapes(Small()), theirs())
  one = {f'net.{name}': array for name, array in theirs().items()}
  other = {f'cls.{name}': array for name, array in theirs(**{'bn.bias': None}).items()}
  found = pretrained.load(Small(), shapes(Small()), one | other)
  jax.tree.map(np.testing.assert_array_equal, found, wanted)
  with pytest.raises(UserError, match='8 missing, 9 surplus'):
    pretrained.load(Small(), shapes(Small()), other)
  with pytest.raises(UserError, match=r'several networks that fit \(ema\., net\.\)'):
    ema = {f'ema.{name}': array for name, array in theirs().items()}
    pretrained.load(Small(), shapes(Small()), one | ema)


def test_a_backbone_adapts_its_own() -> None:
  kernel = np.arange(2, dtype=np.float32).reshape(2, 1)
  rows = np.arange(8, dtype=np.float32)
  arrays = {'position': rows, 'dense.weight': kernel, 'dense.bias': np.zeros(2, np.float32)}
  params = pretrained.load(Adapting(), shapes(Adapting()), arrays)['params']
  np.testing.assert_array_equal(params['position'], [[0], [2], [4], [6]])
  np.testing.assert_array_equal(params['dense']['kernel'], [[0, 1]])


def torchvision_resnet18() -> dict[str, tuple[int, ...]]:
  """Returns names and shapes of torchvision's, written down from its published layout."""
  found = {'conv1.weight': (64, 3, 7, 7), 'fc.weight': (1000, 512), 'fc.bias': (1000,)}

  def norm(name: str, width: int) -> None:
    for leaf in ('weight', 'bias', 'running_mean', 'running_var'):
      found[f'{name}.{leaf}'] = (width,)
    found[f'{name}.num_batches_tracked'] = ()

  norm('bn1', 64)
  for stage, (before, width) in enumerate([(64, 64), (64, 128), (128, 256), (256, 512)], 1):
    for block in (0, 1):
      name = f'layer{stage}.{block}'
      found[f'{name}.conv1.weight'] = (width, width if block else before, 3, 3)
      found[f'{name}.conv2.weight'] = (width, width, 3, 3)
      norm(f'{name}.bn1', width)
      norm(f'{name}.bn2', width)
    if stage > 1:
      found[f'layer{stage}.0.downsample.0.weight'] = (width, before, 1, 1)
      norm(f'layer{stage}.0.downsample.1', width)
  return found


def test_resnet18_takes_what_torchvision_publishes() -> None:
  rng = np.random.default_rng(0)
  layout = torchvision_resnet18()
  assert len(layout) == 122
  arrays = {name: rng.standard_normal(shape, np.float32) for name, shape in layout.items()}
  backbone = backbones.network('resnet18', classes=3, bottleneck=0).extractor
  start = jax.eval_shape(backbone.init, jax.random.key(0), jnp.zeros((1, 32, 32, 3)))
  found = pretrained.load(backbone, start, arrays)
  leaves = jax.tree.leaves(found)
  assert all(isinstance(leaf, np.ndarray) for leaf in leaves)
  used = [name for name in layout if not name.startswith('fc.') and 'num_batches' not in name]
  assert len(leaves) == len(used) == 100
  # Sums tell the tensors apart, whatever their layout.
  sums = sorted(float(leaf.sum(dtype=np.float64)) for leaf in leaves)
  theirs = sorted(float(arrays[name].sum(dtype=np.float64)) for name in used)
  np.testing.assert_allclose(sums, theirs, rtol=1e-9)
  block, stats = found['params']['layer2_0'], found['batch_stats']['layer2_0']
  for leaf, name in [
    (block['conv1']['kernel'], 'conv1.weight'),
    (block['downsample_0']['kernel'], 'downsample.0.weight'),
  ]:
    np.testing.assert_array_equal(leaf, arrays[f'layer2.0.{name}'].transpose(2, 3, 1, 0))
  for leaf, name in [
    (block['bn2']['scale'], 'bn2.weight'),
    (block['downsample_1']['bias'], 'downsample.1.bias'),
    (stats['downsample_1']['var'], 'downsample.1.running_var'),
  ]:
    np.testing.assert_array_equal(leaf, arrays[f'layer2.0.{name}'])


@pytest.mark.parametrize('kind', ['pth', 'legacy', 'safetensors', 'npz', 'msgpack'])
def test_a_file_is_read_by_what_it_is(kind: str, tmp_path: Path) -> None:
  path, wanted = tmp_path / f'x.{kind}', np.array([0, 1, 2], np.uint8)
  if kind == 'safetensors':
    path.write_bytes(made({'a': entry(0, 3, [3])}, b'\0\1\2'))
  elif kind == 'npz':
    np.savez(path, a=wanted)
  elif kind == 'msgpack':
    path.write_bytes(serialization.to_bytes({'params': {'a': wanted}}))
  else:
    place = tb.storage('0', 3, 'Byte')
    content = tb.pickled(tb.mapping({'a': tb.tensor(place, 0, tb.numbers(3), tb.numbers(1))}))
    legacy = tb.legacy(content, {'0': (3, b'\0\1\2')})
    path.write_bytes(tb.archive(content, {'0': b'\0\1\2'}) if kind == 'pth' else legacy)
  found = pretrained.read(str(path))
  assert list(found) == ['a']
  np.testing.assert_array_equal(found['a'], wanted, strict=True)


def test_what_cannot_be_read_names_the_file(tmp_path: Path) -> None:
  path = tmp_path / 'page'
  path.write_bytes(b'<!doctype html>')
  with pytest.raises(UserError, match=r"page: is no weight file: .* begins with b'<!doctype'"):
    pretrained.read(str(path))
  with pytest.raises(UserError, match=r'none\.pth is no file or folder'):
    pretrained.read(str(tmp_path / 'none.pth'))
  with pytest.raises(UserError, match='a folder without an Orbax checkpoint'):
    pretrained.read(str(tmp_path))


def test_the_head_behind_the_features_is_a_dense_layer_of_ours() -> None:
  arrays = theirs()
  found = pretrained.head(Small(), arrays)
  np.testing.assert_array_equal(found['kernel'], arrays['fc.weight'].T)
  np.testing.assert_array_equal(found['bias'], arrays['fc.bias'])


def test_weights_without_a_head_are_refused() -> None:
  with pytest.raises(UserError, match=r'no dense head behind Small \(looked for: fc.weight\)'):
    pretrained.head(Small(), theirs(**{'fc.weight': None}))
  with pytest.raises(UserError, match='none is known'):
    pretrained.head(backbones.MLP(), theirs())
