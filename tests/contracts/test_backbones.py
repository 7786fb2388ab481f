"""What every backbone must satisfy; a new one is covered by having a name."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tlda.errors import UserError
from tlda.models import Network, backbones
from tlda.models import network as network_lib

BATCH, CLASSES, DOMAINS = 4, 3, 3
# The smallest that every backbone of images can take: VGG halves them five times.
IMAGES = np.random.default_rng(0).normal(size=(BATCH, 32, 32, 3)).astype(np.float32)
# Texts of different lengths; 0 is padding.
TOKENS = np.array([[5, 9, 2, 0, 0], [7, 0, 0, 0, 0], [3, 1, 4, 1, 5], [8, 8, 6, 2, 0]], np.int32)
OF_TEXTS = {'minilm'}
# Of these, shapes are looked at and nothing is computed: it would take long.
DEEP = {'resnet34', 'resnet50', 'resnet101', 'vgg16', 'vgg16_bn', 'vit_b16'}

Variables = dict[str, Any]
each_backbone = pytest.mark.parametrize('name', backbones.names())
each_computed = pytest.mark.parametrize('name', sorted(set(backbones.names()) - DEEP))


def build(name: str, normalization: str = 'joint') -> Network:
  return backbones.network(name, classes=CLASSES, normalization=normalization, domains=DOMAINS)


def inputs_of(name: str) -> np.ndarray:
  return TOKENS if name in OF_TEXTS else IMAGES


def initialize(network: Network, inputs: np.ndarray, key: jax.Array) -> list[Variables]:
  """Initialises extractor, head and domain classifier."""
  values = [network.extractor.init(key, inputs)]
  features = network.extractor.apply(values[0], inputs)
  return values + [part.init(key, features) for part in network[1:]]


def run(network: Network, values: list[Variables], inputs: jax.Array, train: bool) -> Any:
  """Returns features, logits, domain logits, and what the extractor's stages sowed."""
  rngs = {'dropout': jax.random.key(0)}
  apply = functools.partial(network.extractor.apply, values[0], rngs=rngs, train=train)
  domain = jnp.arange(len(inputs)) % DOMAINS
  features, sown = apply(inputs, domain=domain, mutable=['intermediates', 'batch_stats'])
  logits = network.head.apply(values[1], features, domain=domain, train=train, rngs=rngs)
  domains = network.domain_classifier.apply(values[2], features, train=train, rngs=rngs)
  return (features, logits, domains), sown['intermediates']


@functools.cache
def abstract(name: str, normalization: str = 'joint') -> list[Variables]:
  return jax.eval_shape(
    functools.partial(initialize, build(name, normalization), inputs_of(name)), jax.random.key(0)
  )


@functools.cache
def drawn(name: str) -> list[Variables]:
  """Variables like initial ones, drawn by NumPy: to compile their initialisation takes long."""
  rng = np.random.default_rng(0)

  def draw(path: Any, leaf: jax.ShapeDtypeStruct) -> np.ndarray:
    if path[-1].key in ('scale', 'var'):
      return np.ones(leaf.shape, leaf.dtype)
    scale = 1 / np.sqrt(max(np.prod(leaf.shape[:-1]), 1))
    return scale * rng.standard_normal(leaf.shape, leaf.dtype)

  return jax.tree.map_with_path(draw, abstract(name))


@each_backbone
def test_shapes_and_stages(name: str) -> None:
  forward = functools.partial(run, build(name), train=True)
  (features, logits, domains), sown = jax.eval_shape(forward, abstract(name), inputs_of(name))
  assert features.ndim == 2
  assert (features.shape[0], logits.shape, domains.shape) == (BATCH, (BATCH, CLASSES), (BATCH,))
  assert {features.dtype, logits.dtype, domains.dtype} == {jnp.dtype(jnp.float32)}
  names = [path[-2].key for path, _ in jax.tree_util.tree_leaves_with_path(sown)]
  assert names
  assert sorted(names) == sorted(f'stage{place}' for place in range(1, len(names) + 1))


@each_backbone
def test_layers_name_every_part_once(name: str) -> None:
  """So that a strategy which orders weights by depth forgets none."""
  bare = backbones.network(name, classes=CLASSES, domains=DOMAINS, bottleneck=0).extractor
  assert network_lib.backbone_of(build(name).extractor) == bare
  made = jax.eval_shape(functools.partial(bare.init, jax.random.key(0)), inputs_of(name))
  named = [part for layer in bare.layers for part in layer]
  assert sorted(named) == sorted(made.get('params', {}))


def test_a_bottleneck_may_be_chosen() -> None:
  chosen = backbones.network('lenet', classes=CLASSES, normalization='frozen', bottleneck=7)
  made = jax.eval_shape(functools.partial(chosen.extractor.init, jax.random.key(0)), IMAGES)
  assert made['params']['dense']['kernel'].shape == (500, 7)


@pytest.mark.parametrize('name', ['minilm', 'vgg16', 'vit_s16', 'identity'])
def test_per_domain_is_refused_where_nothing_is_normalised(name: str) -> None:
  with pytest.raises(UserError, match='give it a bottleneck'):
    backbones.network(name, classes=CLASSES, normalization='per_domain', bottleneck=0)
  backbones.network(name, classes=CLASSES, normalization='per_domain', bottleneck=4)
  backbones.network('vgg16_bn', classes=CLASSES, normalization='per_domain', bottleneck=0)


@each_backbone
def test_per_domain_reaches_every_normalisation(name: str) -> None:
  if 'batch_stats' not in abstract(name)[0]:
    with pytest.raises(UserError, match='has no batch normalisation'):
      build(name, 'per_domain')
    return
  joint, apart = abstract(name)[0], abstract(name, 'per_domain')[0]
  for collection in ('params', 'batch_stats'):
    pairs = zip(*(jax.tree.leaves(x[collection]) for x in (joint, apart)), strict=True)
    grown = [a.shape for a, b in pairs if b.shape == (DOMAINS, *a.shape)]
    assert len(grown) == len(jax.tree.leaves(joint['batch_stats']))


@each_backbone
def test_docstrings_and_types(name: str) -> None:
  for part in build(name):
    kind = type(part)
    assert kind.__doc__
    assert not kind.__doc__.startswith(f'{kind.__name__}(')
    assert kind.__call__.__doc__
    assert 'return' in kind.__call__.__annotations__


@each_computed
def test_initialisation_is_a_function_of_the_key(name: str) -> None:
  programs = [
    jax.make_jaxpr(functools.partial(initialize, build(name), inputs_of(name)))(jax.random.key(0))
    for _ in range(2)
  ]
  assert str(programs[0]) == str(programs[1])
  jax.tree.map(np.testing.assert_array_equal, programs[0].consts, programs[1].consts)


@each_computed
def test_outputs_are_finite_and_follow_the_order_of_examples(name: str) -> None:
  order = np.array([2, 0, 3, 1])
  forward = jax.jit(functools.partial(run, build(name), train=False))
  outputs, _ = forward(drawn(name), inputs_of(name))
  permuted, _ = forward(drawn(name), inputs_of(name)[order])
  for straight, other in zip(outputs, permuted, strict=True):
    assert np.isfinite(straight).all()
    np.testing.assert_allclose(straight[order], other, rtol=1e-5, atol=1e-5)


@each_computed
def test_bfloat16_is_finite_in_training(name: str) -> None:
  narrow = [
    {**part, 'params': jax.tree.map(lambda x: x.astype(jnp.bfloat16), part['params'])}
    for part in drawn(name)
  ]
  forward = jax.jit(functools.partial(run, build(name), train=True))
  inputs = inputs_of(name)
  outputs, _ = forward(narrow, inputs if name in OF_TEXTS else jnp.asarray(inputs, jnp.bfloat16))
  assert {x.dtype for x in outputs} == {jnp.dtype(jnp.bfloat16)}
  assert all(np.isfinite(np.asarray(x, np.float32)).all() for x in outputs)
