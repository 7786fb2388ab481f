"""Batch normalisation: against NumPy, for mixed domains, in bfloat16, on one device and eight."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

from tests.models import numpy_layers
from tlda import axis
from tlda.errors import UserError
from tlda.models import Normalization

RNG = np.random.default_rng(0)
X = RNG.normal(3.0, 2.0, (16, 3, 3, 4)).astype(np.float32)
MIXED = np.array([0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1])


def variables(module: Normalization, channels: int = 4) -> dict[str, Any]:
  """Initialises, then moves scale and bias away from one and zero."""
  values = module.init(jax.random.key(0), jnp.zeros((2, channels)))
  params = jax.tree.map(
    lambda x: x + jnp.linspace(-0.4, 0.6, x.size).reshape(x.shape), values['params']
  )
  return {**values, 'params': params}


def train(module: Normalization, values: dict[str, Any], x: Any, domain: Any = 0) -> Any:
  return module.apply(values, x, domain=domain, train=True, mutable=['batch_stats'])


@pytest.mark.parametrize('shape', [(16, 4), (16, 3, 3, 4)])
def test_joint_equals_numpy(shape: tuple[int, ...]) -> None:
  module = Normalization(momentum=0.8)
  values = variables(module)
  x = X[:, 0, 0] if len(shape) == 2 else X
  y, updated = train(module, values, x, MIXED)
  params = values['params']
  np.testing.assert_allclose(
    y, numpy_layers.normalize(x) * params['scale'] + params['bias'], rtol=1e-4, atol=1e-5
  )
  axes = tuple(range(x.ndim - 1))
  stats = updated['batch_stats']
  np.testing.assert_allclose(stats['mean'], 0.2 * x.mean(axes, np.float64), rtol=1e-5)
  np.testing.assert_allclose(stats['var'], 0.8 + 0.2 * x.var(axes, np.float64), rtol=1e-5)


def test_evaluation_takes_the_running_statistics() -> None:
  module = Normalization()
  values = variables(module)
  values['batch_stats'] = {'mean': jnp.full(4, 2.0), 'var': jnp.full(4, 9.0)}
  params = values['params']
  expected = (X - 2) / np.sqrt(9 + 1e-5) * params['scale'] + params['bias']
  np.testing.assert_allclose(module.apply(values, X), expected, rtol=1e-4, atol=1e-5)


def test_half_of_the_channels_are_of_each_example() -> None:
  module = Normalization('ibn')
  values = variables(module)
  params = values['params']
  each = np.stack([numpy_layers.normalize(example[None])[0] for example in X])
  expected = np.where(np.arange(4) < 2, each, numpy_layers.normalize(X))
  affine = lambda x: x * params['scale'] + params['bias']
  y, updated = train(module, values, X)
  np.testing.assert_allclose(y, affine(expected), rtol=1e-4, atol=1e-5)
  later = module.apply({**values, **updated}, X)
  np.testing.assert_allclose(later[..., :2], affine(each)[..., :2], rtol=1e-4, atol=1e-5)
  joint = Normalization().apply({**values, **updated}, X)
  np.testing.assert_array_equal(later[..., 2:], joint[..., 2:])


def test_per_domain_equals_each_domain_alone() -> None:
  module = Normalization('per_domain', domains=3, momentum=0.5)
  values = variables(module)
  y, updated = train(module, values, X, MIXED)
  for domain in (0, 1):
    rows, params = domain == MIXED, jax.tree.map(lambda x, d=domain: x[d], values['params'])
    expected = numpy_layers.normalize(X[rows]) * params['scale'] + params['bias']
    np.testing.assert_allclose(y[rows], expected, rtol=1e-4, atol=1e-5)
    mean = X[rows].mean((0, 1, 2), np.float64)
    np.testing.assert_allclose(updated['batch_stats']['mean'][domain], mean / 2, rtol=1e-5)


def test_an_absent_domain_keeps_its_statistics() -> None:
  module = Normalization('per_domain', domains=3)
  values = variables(module)
  _, updated = train(module, values, X, MIXED)
  absent = jax.tree.map(lambda x: x[2], updated['batch_stats'])
  np.testing.assert_array_equal(absent['mean'], np.zeros(4))
  np.testing.assert_array_equal(absent['var'], np.ones(4))
  gradients = jax.grad(lambda values: jnp.sum(train(module, values, X, MIXED)[0] ** 3))(values)
  gradients = gradients['params']
  assert all(np.isfinite(x).all() and not x[2].any() for x in jax.tree.leaves(gradients))


def test_one_number_names_the_domain_of_all() -> None:
  module = Normalization('per_domain')
  values = variables(module)
  alone, _ = train(module, values, X, 1)
  listed, _ = train(module, values, X, np.ones(16, int))
  np.testing.assert_array_equal(alone, listed)
  assert np.abs(alone - train(module, values, X, 0)[0]).max() > 0.1


def test_frozen_takes_the_running_statistics_and_keeps_them() -> None:
  module = Normalization('frozen')
  values = variables(module)
  y, updated = train(module, values, X)
  np.testing.assert_array_equal(y, module.apply(values, X))
  np.testing.assert_array_equal(updated['batch_stats']['mean'], np.zeros(4))


def test_initialisation_moves_no_statistics() -> None:
  values = Normalization().init(jax.random.key(0), X, train=True)
  np.testing.assert_array_equal(values['batch_stats']['mean'], np.zeros(4))


def test_a_large_mean_costs_no_digits() -> None:
  x = X.astype(np.float64) + 4096
  module = Normalization()
  values = module.init(jax.random.key(0), X)
  y, _ = train(module, values, x.astype(np.float32))
  expected = numpy_layers.normalize(x.astype(np.float32))
  np.testing.assert_allclose(y, expected, atol=2e-3)


def test_bfloat16_in_and_out_with_float32_statistics() -> None:
  module = Normalization()
  x = jnp.asarray(X + 100, jnp.bfloat16)
  y, updated = train(module, module.init(jax.random.key(0), X), x)
  assert y.dtype == jnp.bfloat16
  assert updated['batch_stats']['mean'].dtype == jnp.float32
  mean = np.asarray(x, np.float64).mean((0, 1, 2))
  np.testing.assert_allclose(updated['batch_stats']['mean'], 0.1 * mean, rtol=1e-5)
  np.testing.assert_allclose(
    np.asarray(y, np.float32), numpy_layers.normalize(np.asarray(x)), rtol=1e-2, atol=1e-2
  )


def test_constant_channels_give_finite_gradients() -> None:
  module = Normalization()
  values = variables(module)
  for dtype in (jnp.float32, jnp.bfloat16):
    x = jnp.ones((8, 4), dtype)
    gradient = jax.grad(lambda x: jnp.sum(train(module, values, x)[0] ** 2))(x)
    assert gradient.dtype == dtype
    assert jnp.isfinite(gradient).all()


def test_an_unknown_mode_is_named() -> None:
  with pytest.raises(UserError, match="did you mean 'per_domain'"):
    Normalization('perdomain').init(jax.random.key(0), X)


def step(values: dict[str, Any], x: jax.Array, domain: jax.Array) -> Any:
  """Gradients (by parameters and by inputs) of a mean loss, and what was learned of the batch."""
  module = Normalization('per_domain')

  def loss(params: Any, x: jax.Array) -> Any:
    y, updated = train(module, {**values, 'params': params}, x, domain)
    return jnp.mean(jnp.sin(y) * jnp.arange(4)), updated

  (value, updated), gradients = jax.value_and_grad(loss, (0, 1), has_aux=True)(values['params'], x)
  return axis.mean((value, gradients[0])), updated, gradients[1] / axis.size()


@pytest.mark.parametrize('style', ['pmap', 'shard_map'])
def test_eight_devices_do_what_one_does(style: str) -> None:
  values = variables(Normalization('per_domain'))
  expected = jax.jit(step)(values, X, MIXED)
  if style == 'pmap':
    run = jax.pmap(step, axis_name=axis.AXIS, in_axes=(None, 0, 0), out_axes=(None, None, 0))
    shards = X.reshape(8, 2, 3, 3, 4), MIXED.reshape(8, 2)
  else:
    mesh = jax.make_mesh((8,), (axis.AXIS,), axis_types=(AxisType.Auto,))
    run = jax.jit(
      jax.shard_map(
        step,
        mesh=mesh,
        in_specs=(P(), P(axis.AXIS), P(axis.AXIS)),
        out_specs=(P(), P(), P(axis.AXIS)),
        check_vma=False,
      )
    )
    shards = X, MIXED
  reduced, updated, by_inputs = run(values, *shards)
  got = reduced, updated, by_inputs.reshape(X.shape)
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), got, expected)
