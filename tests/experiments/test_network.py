"""Which batch normalisation a network gets: the method's, the flag's or the strategy's."""

from typing import Any

import pytest

from experiments import network
from experiments.common import DEFAULTS
from tests.problem import domain, make_method
from tlda import transfer
from tlda.methods import DSBN, AdaBN, Method, SourceOnly
from tlda.models.network import backbone_of


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
