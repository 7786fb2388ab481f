"""The convolution with its own gradient: equal to XLA's, in every mode of differentiation."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.sharding import AxisType
from jax.sharding import PartitionSpec as P

from tests.models import numpy_layers
from tlda import axis
from tlda.models.convolution import PooledConv, convolve

RNG = np.random.default_rng(0)
X = jnp.asarray(RNG.normal(size=(2, 8, 7, 3)), jnp.float32)
KERNEL = jnp.asarray(RNG.normal(size=(5, 3, 3, 4)), jnp.float32)


def library(x: jax.Array, kernel: jax.Array) -> jax.Array:
  return lax.conv_general_dilated(
    x, kernel, (1, 1), 'VALID', dimension_numbers=('NHWC', 'HWIO', 'NHWC')
  )


def cubes(function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
  return lambda *arrays: jnp.sum(function(*arrays) ** 3)


def assert_close(got: object, expected: object) -> None:
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-2), got, expected)


def test_equals_numpy() -> None:
  expected = numpy_layers.convolve(np.asarray(X), np.asarray(KERNEL))
  np.testing.assert_allclose(convolve(X, KERNEL), expected, atol=1e-4)


@pytest.mark.parametrize('arguments', [0, 1, (0, 1)])
def test_gradients_equal_the_library_s(arguments: int | tuple[int, ...]) -> None:
  got = jax.jit(jax.grad(cubes(convolve), arguments))(X, KERNEL)
  assert_close(got, jax.jit(jax.grad(cubes(library), arguments))(X, KERNEL))


@pytest.mark.parametrize('channels', [1, 4, 5])
def test_few_channels_and_many_have_the_library_s_gradient(channels: int) -> None:
  x = jnp.asarray(RNG.normal(size=(2, 8, 7, channels)), jnp.float32)
  kernel = jnp.asarray(RNG.normal(size=(5, 3, channels, 4)), jnp.float32)
  got = jax.jit(jax.grad(cubes(convolve), (0, 1)))(x, kernel)
  assert_close(got, jax.jit(jax.grad(cubes(library), (0, 1)))(x, kernel))


def test_forward_mode_equals_the_library_s() -> None:
  tangents = (jnp.sin(X), jnp.cos(KERNEL))
  got = jax.jvp(convolve, (X, KERNEL), tangents)
  assert_close(got, jax.jvp(library, (X, KERNEL), tangents))


def test_second_order_equals_the_library_s() -> None:
  def penalty(function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    slope = jax.grad(lambda x, kernel: jnp.sum(function(x, kernel) ** 2))
    return lambda x, kernel: jnp.sum(slope(x, kernel) ** 2) / 100

  got = jax.jit(jax.grad(penalty(convolve), (0, 1)))(X, KERNEL)
  assert_close(got, jax.jit(jax.grad(penalty(library), (0, 1)))(X, KERNEL))


def test_seeds_may_be_mapped() -> None:
  xs, kernels = jnp.stack([X, 2 * X]), jnp.stack([KERNEL, KERNEL / 2])
  got = jax.jit(jax.vmap(jax.grad(cubes(convolve), (0, 1))))(xs, kernels)
  assert_close(got, jax.jit(jax.vmap(jax.grad(cubes(library), (0, 1))))(xs, kernels))


def test_only_a_cpu_takes_the_rows_apart() -> None:
  gradient = jax.jit(jax.grad(lambda x: jnp.sum(jnp.sin(convolve(x, KERNEL)))))
  for platform, shape in (('cpu', '1x3x15x4'), ('tpu', '5x3x3x4'), ('cuda', '5x3x3x4')):
    module = gradient.trace(X).lower(lowering_platforms=(platform,)).as_text()
    convolutions = [line for line in module.splitlines() if 'stablehlo.convolution' in line]
    assert any(f'tensor<{shape}' in line for line in convolutions[1:]), (platform, convolutions)


@pytest.mark.parametrize('style', ['pmap', 'shard_map'])
def test_eight_devices_do_what_one_does(style: str) -> None:
  xs = jnp.asarray(RNG.normal(size=(8, 6, 6, 2)), jnp.float32)
  module = PooledConv(channels=4)
  values = numpy_layers.variables(module, xs)

  def gradients(values: object, xs: jax.Array) -> object:
    slopes = jax.grad(lambda *arguments: jnp.sum(module.apply(*arguments) ** 2), (0, 1))
    by_values, by_inputs = slopes(values, xs)
    return axis.sum(by_values), by_inputs

  if style == 'pmap':
    run = jax.pmap(gradients, axis_name=axis.AXIS, in_axes=(None, 0), out_axes=(None, 0))
    by_values, by_inputs = run(values, xs[:, None])
  else:
    mesh = jax.make_mesh((8,), (axis.AXIS,), axis_types=(AxisType.Auto,))
    rows, same = P(axis.AXIS), P()
    specs = {'in_specs': (same, rows), 'out_specs': (same, rows)}
    run = jax.jit(jax.shard_map(gradients, mesh=mesh, check_vma=False, **specs))
    by_values, by_inputs = run(values, xs)
  assert_close((by_values, by_inputs.reshape(xs.shape)), jax.jit(gradients)(values, xs))


def test_pooled_convolution_equals_numpy() -> None:
  module = PooledConv(channels=6, kernel=3, window=2)
  values = numpy_layers.variables(module, X)
  params = values['params']
  expected = numpy_layers.convolve(np.asarray(X), params['kernel']) + params['bias']
  expected = numpy_layers.relu(numpy_layers.max_pool(expected, 2, 2))
  np.testing.assert_allclose(module.apply(values, X), expected, rtol=1e-4, atol=1e-5)


def test_bfloat16_stays_bfloat16() -> None:
  module = PooledConv(channels=4)
  values = jax.tree.map(jnp.bfloat16, numpy_layers.variables(module, X))
  y, pullback = jax.vjp(lambda x: module.apply(values, x), X.astype(jnp.bfloat16))
  assert y.dtype == jnp.bfloat16
  assert pullback(y)[0].dtype == jnp.bfloat16
