"""StochNorm: each channel is normalised by one of two statistics, by hand and by NumPy."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.models.wrapped import Kinds
from tlda.errors import UserError
from tlda.models import Normalization, backbones
from tlda.models.stochastic_normalization import StochasticNormalization

CHANNELS = 4000
X = np.random.default_rng(0).normal(3.0, 2.0, (6, CHANNELS)).astype(np.float32)
MEAN, VAR = 1.0, 9.0
IMAGES = np.random.default_rng(0).normal(size=(4, 12, 12, 3)).astype(np.float32)


def values(mode: str = 'joint') -> dict[str, Any]:
  shape = (2, CHANNELS) if mode == 'per_domain' else (CHANNELS,)
  return {
    'params': {'scale': jnp.full(shape, 2.0), 'bias': jnp.full(shape, 0.5)},
    'batch_stats': {'mean': jnp.full(shape, MEAN), 'var': jnp.full(shape, VAR)},
  }


def train(moving: float, seed: int = 0, x: Any = X, **settings: Any) -> Any:
  module = Normalization(moving=moving, **settings)
  mode = settings.get('mode', 'joint')
  keys = {'normalization': jax.random.key(seed)}
  domain = jnp.arange(len(x)) % 2
  options = {'domain': domain, 'train': True, 'rngs': keys, 'mutable': ['batch_stats']}
  return module.apply(values(mode), x, **options)


def both(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """What the running statistics give, and what the batch's give."""
  x = x.astype(np.float64)
  running = (x - MEAN) / np.sqrt(VAR + 1e-5)
  own = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
  return 2 * running + 0.5, 2 * own + 0.5


def which(found: Any, running: np.ndarray, own: np.ndarray) -> np.ndarray:
  """Returns for each channel whether it took the running statistics; it took one of the two."""
  is_running, is_own = (np.abs(found - wanted).max(0) < 1e-4 for wanted in (running, own))
  assert (is_running ^ is_own).all()
  return is_running


def test_by_hand() -> None:
  """Of 1 and 5 the batch has mean 3 and deviation 2, the past mean 1 and deviation 3."""
  x = np.repeat([[1.0], [5.0]], CHANNELS, axis=1).astype(np.float32)
  found, _ = train(0.5, x=x)
  taken = which(found, np.array([[0.5], [2 * 4 / 3 + 0.5]]), np.array([[-1.5], [2.5]]))
  assert 0.4 < taken.mean() < 0.6


def test_channels_take_either_statistic_with_the_probability() -> None:
  found, updated = train(0.3)
  taken = which(found, *both(X))
  # Three standard deviations of 4,000 draws.
  assert abs(taken.mean() - 0.3) < 3 * np.sqrt(0.3 * 0.7 / CHANNELS)
  again = which(train(0.3, seed=1)[0], *both(X))
  assert (taken != again).any()
  # The running statistics follow the batch in every channel, chosen or not.
  mean = 0.9 * MEAN + 0.1 * X.mean(0, np.float64)
  np.testing.assert_allclose(updated['batch_stats']['mean'], mean, rtol=1e-5)


def test_the_ends_are_the_two_statistics() -> None:
  running, own = both(X)
  np.testing.assert_allclose(train(1.0)[0], running, rtol=1e-4, atol=1e-5)
  np.testing.assert_allclose(train(0.0)[0], own, rtol=1e-4, atol=1e-5)


def test_each_domain_has_its_two() -> None:
  found, _ = train(0.5, mode='per_domain')
  of_domains = [which(found[rows], *both(X[rows])) for rows in (slice(0, 6, 2), slice(1, 6, 2))]
  np.testing.assert_array_equal(*of_domains)


def test_gradients_pass_through_each() -> None:
  """Through running statistics the slope is 2 / 3, and of a sum through the batch's it is 0."""
  slope = jax.grad(lambda x: train(0.5, x=x)[0].sum())(X)
  taken = which(train(0.5)[0], *both(X))
  np.testing.assert_allclose(slope[:, taken], 2 / 3, rtol=1e-4)
  np.testing.assert_allclose(slope[:, ~taken], 0, atol=1e-4)


def test_evaluation_needs_no_key_and_takes_the_running_statistics() -> None:
  found = Normalization(moving=0.5).apply(values(), X)
  np.testing.assert_allclose(found, both(X)[0], rtol=1e-4, atol=1e-5)


def test_a_backbone_is_normalised_so_and_keeps_its_parameters() -> None:
  module = StochasticNormalization(Kinds(), 1.0)
  made = module.init(jax.random.key(0), IMAGES, train=True)
  assert {name: set(tree) for name, tree in made.items()} == {
    'params': {'backbone'},
    'batch_stats': {'backbone'},
  }
  bare = {name: tree['backbone'] for name, tree in made.items()}
  keys = {'normalization': jax.random.key(0)}
  options = {'train': True, 'mutable': ['batch_stats']}
  found, written = module.apply(made, IMAGES, rngs=keys, **options)
  # With all channels taking them, training is evaluation, but for what is learned of the batch.
  np.testing.assert_allclose(found, Kinds().apply(bare, IMAGES), rtol=1e-5, atol=1e-5)
  _, own = Kinds().apply(bare, IMAGES, **options)
  jax.tree.map(
    np.testing.assert_array_equal, written['batch_stats']['backbone'], own['batch_stats']
  )


def test_layers_draw_apart() -> None:
  class Pair(nn.Module):
    @nn.compact
    def __call__(self, inputs: jax.Array, *, domain: Any = 0, train: bool = False) -> jax.Array:
      one, other = (Normalization(name=name)(inputs, train=train) for name in ('a', 'b'))
      return one - other

  module = StochasticNormalization(Pair(), 0.5)
  made = module.init(jax.random.key(0), X)
  options = {
    'train': True,
    'mutable': ['batch_stats'],
    'rngs': {'normalization': jax.random.key(0)},
  }
  differ = np.asarray(module.apply(made, X, **options)[0]).any(0)
  assert 0.4 < differ.mean() < 0.6


def test_what_has_nothing_to_be_normalised_is_refused() -> None:
  bare = backbones.network('lenet', classes=2).extractor
  with pytest.raises(UserError, match='a --backbone with batch normalisation'):
    StochasticNormalization(bare).init(jax.random.key(0), np.zeros((1, 28, 28, 3)))
  with pytest.raises(UserError, match='--normalization=frozen leaves nothing'):
    StochasticNormalization(Kinds('frozen')).init(jax.random.key(0), IMAGES)
