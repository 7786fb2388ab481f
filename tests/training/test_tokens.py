"""A run on tokens of text: integers reach the encoder as they are, and nothing else is asked."""

import dataclasses
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.problem import describe, preprocessing
from tests.problem import make_run
from tlda import methods, report
from tlda.data import Domain, Split
from tlda.errors import UserError
from tlda.models import Normalization
from tlda.training.fit import Trainer, fit
from tlda.training.inputs import Preprocessing
from tlda.training.run import Run

WORDS, LENGTH = 20, 5


class Encoder(nn.Module):
  """The mean of what its words stand for; it takes integers alone."""

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    x = nn.Embed(WORDS, 8)(inputs).mean(axis=1)
    self.sow('intermediates', 'stage1', x)
    return Normalization('joint', 2)(x, domain=domain, train=train)


def domain(name: str, seed: int) -> Domain:
  """Returns texts whose class is among their words, as tokens."""
  rng = np.random.default_rng(seed)

  def split(examples: int) -> Split:
    labels = rng.integers(0, 3, examples).astype(np.int32)
    tokens = rng.integers(4, WORDS, (examples, LENGTH)).astype(np.int32)
    tokens[:, 1] = 1 + labels
    return Split(tokens, labels)

  return Domain(name, split(60), split(30), ('a', 'b', 'c'), 'none')


def run_on_tokens(cls: type[methods.Method], folder: Path, **options: Any) -> Run:
  source, target = domain('left', 1), domain('right', 2)
  run = make_run(cls, folder, **options)
  method = run.method.clone(spec=describe([source], target), extractor=Encoder())
  return dataclasses.replace(
    run,
    method=method,
    sources=(source,),
    target=target,
    preprocessing=preprocessing(cls, [source], target),
  )


def test_what_stands_for_tokens() -> None:
  spec = describe([domain('left', 1)], domain('right', 2))
  assert (spec.input_shape, spec.input_dtype, spec.is_text) == ((LENGTH,), 'int32', True)
  assert (spec.blank().shape, spec.blank().dtype) == ((1, LENGTH), jnp.int32)
  vectors = dataclasses.replace(spec, input_dtype='float32')
  assert (vectors.blank().dtype, vectors.is_text) == (jnp.float32, False)


def test_tokens_pass_and_the_rest_is_scaled() -> None:
  tokens = jnp.array([[3, 1]], jnp.int32)
  passed = Preprocessing(())(tokens)
  assert passed.dtype == jnp.int32
  np.testing.assert_array_equal(passed, tokens)
  pixels = Preprocessing((0.5,))(jnp.array([[[255]]], jnp.uint8))
  np.testing.assert_allclose(pixels, [[[0.5]]])


@pytest.mark.parametrize('cls', [methods.DANN, methods.AdaBN, methods.MSTN])
def test_methods_learn_from_tokens(cls: type[methods.Method], tmp_path: Path) -> None:
  run = run_on_tokens(cls, tmp_path / 'run', steps=6)
  batch = Trainer(run)._inputs.example(0)
  assert batch.target.inputs.dtype == jnp.int32
  result = fit(run)
  assert result['data']['left']['sha256']['train'] == run.sources[0].train.sha256
  assert 0 <= result['accuracy']['target_test'][0] <= 1
  page = tmp_path / 'page' / 'index.html'
  report.write([tmp_path / 'run'], page)
  with np.load(tmp_path / 'run' / 'report' / 'samples.npz') as samples:
    assert not [name for name in samples.files if 'images' in name]
  assert page.exists()


@pytest.mark.parametrize(
  ('cls', 'sentence'),
  [
    (methods.FixMatch, 'FixMatch needs augmented views, and text has none'),
    (methods.VADA, 'VADA moves or mixes inputs: tokens of text cannot be'),
    (methods.Mixup, 'Mixup moves or mixes inputs: tokens of text cannot be'),
  ],
)
def test_what_text_does_not_allow_is_said(
  cls: type[methods.Method], sentence: str, tmp_path: Path
) -> None:
  with pytest.raises(UserError, match=sentence):
    Trainer(run_on_tokens(cls, tmp_path))
