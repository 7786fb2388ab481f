"""Which batch normalisation a network gets: the method's, the flag's or the strategy's."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from experiments import network, saved
from experiments.common import DEFAULTS
from tests.problem import domain, make_method
from tlda import transfer
from tlda.errors import UserError
from tlda.methods import DSBN, AdaBN, Method, SourceOnly
from tlda.models import backbones
from tlda.models.network import backbone_of
from tlda.training.inputs import Preprocessing


@pytest.mark.parametrize(
  ('kind', 'flag', 'strategy', 'expected'),
  [
    (SourceOnly, 'joint', 'fine_tune', 'joint'),
    (SourceOnly, 'joint', 'linear_probe', 'frozen'),
    (SourceOnly, 'ibn', 'linear_probe', 'ibn'),
    (AdaBN, 'joint', 'linear_probe', 'joint'),
    (AdaBN, 'joint', 'lora', 'joint'),
    (DSBN, 'joint', 'linear_probe', 'per_domain'),
    (DSBN, 'per_domain', 'fine_tune', 'per_domain'),
  ],
)
def test_the_method_comes_before_the_flag_and_that_before_the_strategy(
  kind: type[Method], flag: str, strategy: str, expected: str
) -> None:
  spec = make_method(SourceOnly, domain('left', 1), domain('right', 2)).spec
  parsed: dict[str, Any] = {**DEFAULTS, 'method': kind.__name__, 'backbone': 'resnet18'}
  parsed |= {'normalization': flag, 'transfer': strategy}
  of_strategy = {
    f'{strategy}.{name}': value for name, value in vars(transfer.get(strategy)()).items()
  }
  built = network.build(parsed | of_strategy, kind, spec)
  assert backbone_of(built.extractor).normalization == expected


def flags_of(backbone: str) -> dict[str, Any]:
  return {**DEFAULTS, 'method': 'source_only', 'backbone': backbone, 'fine_tune.backbone_rate': 1.0}


def test_vectors_are_read_by_what_has_no_convolutions() -> None:
  problem = make_method(SourceOnly, domain('left', 1), domain('right', 2)).spec
  spec = dataclasses.replace(problem, input_shape=(20,))
  for name in set(backbones.names()) - {'minilm'}:
    if name not in network.READ_VECTORS:
      sentence = f'--backbone={name} reads images, and right holds vectors: mlp or identity reads'
      with pytest.raises(UserError, match=sentence):
        network.build(flags_of(name), SourceOnly, spec)
      continue
    backbone = backbone_of(network.build(flags_of(name), SourceOnly, spec).extractor)
    jax.eval_shape(backbone.init, jax.random.key(0), jnp.zeros((1, 20)))


def test_a_bottleneck_has_a_width() -> None:
  spec = make_method(SourceOnly, domain('left', 1), domain('right', 2)).spec
  with pytest.raises(UserError, match='--bottleneck must be -1 or above, not -5'):
    network.build(flags_of('lenet') | {'bottleneck': -5}, SourceOnly, spec)


def test_a_run_of_before_a_flag_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
  spec = make_method(SourceOnly, domain('left', 1), domain('right', 2)).spec
  known = saved.About(
    spec, Preprocessing((0.4,)), ('a',), (0,), flags_of('mlp') | {'method': 'dann'}
  )
  monkeypatch.setattr(saved, 'about', lambda *_: known)
  with pytest.raises(UserError, match="--runs=w was trained before there was a flag 'dann.weight'"):
    saved.load('w', '--runs')
