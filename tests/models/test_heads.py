"""Heads, bottleneck and domain classifier."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.models import numpy_layers
from tlda.models import Bottleneck, DomainClassifier, Linear, MLPHead
from tlda.models.backbones import MLP

FEATURES = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)


def shapes(module: nn.Module) -> dict[str, tuple[int, ...]]:
  params = numpy_layers.variables(module, FEATURES)['params']
  flat = jax.tree_util.tree_leaves_with_path(params)
  return {'/'.join(key.key for key in path): leaf.shape for path, leaf in flat}


def dense(x: np.ndarray, params: dict[str, np.ndarray]) -> np.ndarray:
  return x.astype(np.float64) @ params['kernel'] + params['bias']


def test_linear_is_one_matrix_and_a_bias() -> None:
  assert shapes(Linear(3)) == {'logits/kernel': (5, 3), 'logits/bias': (3,)}
  values = numpy_layers.variables(Linear(3), FEATURES)
  expected = dense(FEATURES, values['params']['logits'])
  np.testing.assert_allclose(Linear(3).apply(values, FEATURES), expected, atol=1e-5)


def test_mlp_head_equals_numpy() -> None:
  module = MLPHead((7, 4), 3)
  values = numpy_layers.variables(module, FEATURES)
  x = FEATURES
  for name in ('hidden1', 'hidden2'):
    x = numpy_layers.relu(dense(x, values['params'][name]))
  expected = dense(x, values['params']['logits'])
  np.testing.assert_allclose(module.apply(values, FEATURES, domain=1), expected, atol=1e-5)


@pytest.mark.parametrize('module', [MLPHead((50,), 3, 0.5), DomainClassifier((50,), 0.5)])
def test_dropout_acts_in_training_only(module: nn.Module) -> None:
  values = numpy_layers.variables(module, FEATURES)
  plain = module.apply(values, FEATURES)

  def drop(seed: int) -> jax.Array:
    keys = {'dropout': jax.random.key(seed)}
    return module.apply(values, FEATURES, train=True, rngs=keys)

  np.testing.assert_array_equal(plain, module.apply(values, FEATURES))
  np.testing.assert_array_equal(drop(0), drop(0))
  assert np.abs(drop(0) - drop(1)).max() > 1e-3


def test_domain_classifier_has_one_logit_an_example() -> None:
  module = DomainClassifier()
  assert module.apply(numpy_layers.variables(module, FEATURES), FEATURES).shape == (6,)
  assert shapes(module)['mlp/hidden1/kernel'] == (5, 100)


def test_domain_classifier_without_hidden_layers_is_a_logistic_regression() -> None:
  assert shapes(DomainClassifier(())) == {'mlp/logits/kernel': (5, 1), 'mlp/logits/bias': (1,)}


def test_bottleneck_equals_numpy() -> None:
  module = Bottleneck(MLP((4,)), width=3)
  values = numpy_layers.variables(module, FEATURES)
  params = values['params']
  hidden = 1 / (1 + np.exp(-dense(FEATURES, params['backbone']['dense1'])))
  normal = numpy_layers.normalize(dense(hidden, params['dense']))
  expected = numpy_layers.relu(normal * params['norm']['scale'] + params['norm']['bias'])
  features, _ = module.apply(values, FEATURES, train=True, mutable=['batch_stats'])
  np.testing.assert_allclose(features, expected, atol=1e-4)


def test_bottleneck_has_branches_of_per_domain_normalisation() -> None:
  module = Bottleneck(MLP((4,)), 3, 'per_domain', domains=5)
  values = numpy_layers.variables(module, FEATURES, domain=jnp.arange(6) % 5)
  assert values['params']['norm']['scale'].shape == (5, 3)
