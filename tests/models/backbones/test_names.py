"""Backbones by name."""

import pytest

from tlda.errors import UserError
from tlda.models import backbones


def test_the_names_of_the_first_backbones_are_there() -> None:
  assert set(backbones.names()) >= {
    *('lenet', 'lenet_bn', 'mlp', 'mlp_bn', 'mnist_net', 'svhn_net'),
    *('resnet18', 'resnet34', 'resnet50', 'resnet101'),
  }


def test_an_unknown_name_gets_the_nearest() -> None:
  with pytest.raises(UserError, match="unknown backbone 'resnet51': did you mean 'resnet50'"):
    backbones.network('resnet51', classes=2)


def test_an_unknown_normalisation_gets_the_nearest() -> None:
  with pytest.raises(UserError, match="unknown normalization 'per-domain'"):
    backbones.network('resnet50', classes=2, normalization='per-domain')


def test_what_has_no_normalisation_says_so() -> None:
  with pytest.raises(UserError, match="'lenet' has no batch norm.*'per_domain'.* lenet_bn"):
    backbones.network('lenet', classes=2, normalization='per_domain')


@pytest.mark.parametrize('name', ['vgg16_bn', 'resnet20'])
def test_ibn_is_of_deep_residual_networks(name: str) -> None:
  with pytest.raises(UserError, match=f"'ibn' is that of resnet18, .*, not of '{name}'"):
    backbones.network(name, classes=2, normalization='ibn')
