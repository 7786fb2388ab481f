"""MiniLM: published size and names, the embeddings of `transformers`, and padding."""

import re

import jax
import numpy as np
import pytest

from tests.models import reference
from tlda.errors import UserError
from tlda.models import pretrained
from tlda.models.backbones import MiniLM

TOKENS = np.array([[101, 7, 9, 102, 0, 0], [101, 3, 102, 0, 0, 0]])
SMALL = MiniLM(width=16, heads=2, depth=2, hidden=32, vocabulary=120, positions=8)


def test_size_is_the_published_one() -> None:
  params = reference.shapes(MiniLM(), TOKENS)['params']
  pooler = 384 * (384 + 1)
  assert sum(leaf.size for leaf in jax.tree.leaves(params)) + pooler == 22_713_216


def test_layers_are_the_embeddings_and_each_layer() -> None:
  layers = [(f'layer_{place}',) for place in range(6)]
  assert MiniLM().layers == (('embeddings',), *layers)


def test_names_and_shapes_are_those_of_the_file() -> None:
  backbone, arrays = MiniLM(), reference.published('minilm')
  ours = {
    name: shape for _, name, shape in reference.named(backbone, reference.shapes(backbone, TOKENS))
  }
  ignored = backbone.published.ignored
  assert ours == {
    name: array.shape
    for name, array in arrays.items()
    if not any(re.fullmatch(pattern, name) for pattern in ignored)
  }
  assert len(arrays) - len(ours) == 3  # positions counted from 0, and the pooler


@pytest.mark.parametrize('dtype', [np.int32, np.float32])
def test_sentences_get_the_embeddings_of_transformers(dtype: type) -> None:
  backbone, expected = MiniLM(), reference.outputs('minilm')
  tokens = expected['tokens'].astype(dtype)
  assert (tokens == 0).any()
  variables = pretrained.load(
    backbone, reference.shapes(backbone, tokens), reference.published('minilm')
  )
  got = jax.jit(backbone.apply)(variables, tokens)
  np.testing.assert_allclose(got, expected['embeddings'], atol=1e-4)


def test_padding_changes_nothing() -> None:
  values = SMALL.init(jax.random.key(0), TOKENS)
  long, short = (SMALL.apply(values, TOKENS[:, :length]) for length in (6, 4))
  assert np.abs(long).max() > 0.1
  np.testing.assert_allclose(long, short, atol=1e-5)
  alone = SMALL.apply(values, TOKENS[1:, :3])
  np.testing.assert_allclose(long[1:], alone, atol=1e-5)


def test_a_text_without_tokens_is_zero() -> None:
  values = SMALL.init(jax.random.key(0), TOKENS)
  np.testing.assert_array_equal(SMALL.apply(values, np.zeros((2, 3), np.int32)), 0)


def test_a_text_too_long_is_refused() -> None:
  with pytest.raises(UserError, match='texts have 9 tokens, of 8 at most'):
    SMALL.init(jax.random.key(0), np.ones((1, 9), np.int32))


def test_training_drops_and_prediction_does_not() -> None:
  values = SMALL.init(jax.random.key(0), TOKENS)
  run = lambda train, key: SMALL.apply(
    values, TOKENS, train=train, rngs={'dropout': jax.random.key(key)}
  )
  np.testing.assert_array_equal(run(False, 0), run(False, 1))
  assert np.abs(run(True, 0) - run(True, 1)).max() > 1e-3
