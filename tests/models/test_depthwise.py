"""The depthwise convolution: equal to NumPy and to XLA's, in every mode of differentiation."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from tests.models import numpy_layers
from tlda.models.depthwise import DepthwiseConv, convolve

RNG = np.random.default_rng(0)
X = jnp.asarray(RNG.normal(size=(4, 6, 7, 3)), jnp.float32)
TANGENT = jnp.asarray(RNG.normal(size=X.shape), jnp.float32)
KERNELS = {side: jnp.asarray(RNG.normal(size=(side, side, 1, 3)), jnp.float32) for side in (3, 5)}

each_size = pytest.mark.parametrize(('side', 'stride'), [(3, 1), (3, 2), (5, 1), (5, 2)])


def library(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
  return lax.conv_general_dilated(
    x,
    kernel,
    (stride, stride),
    'SAME',
    dimension_numbers=('NHWC', 'HWIO', 'NHWC'),
    feature_group_count=x.shape[-1],
  )


def cubes(function: Callable[..., jax.Array], stride: int) -> Callable[..., jax.Array]:
  return lambda x, kernel: jnp.sum(function(x, kernel, stride) ** 3)


def assert_close(got: object, expected: object) -> None:
  jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-2), got, expected)


def by_numpy(stride: int, before: int, after: int) -> np.ndarray:
  """Pads 6x6 pixels of each channel, and convolves it with a 3x3 kernel."""
  padded = np.pad(X[:, :, :6], ((0, 0), (before, after), (before, after), (0, 0)))
  each = [
    numpy_layers.convolve(padded[..., [c]], np.asarray(KERNELS[3])[..., [c]], stride)
    for c in range(3)
  ]
  return np.concatenate(each, axis=-1)


def test_equals_numpy() -> None:
  """With stride 2, six pixels lack one for the last window: TensorFlow adds it at the end."""
  got = [convolve(X[:, :, :6], KERNELS[3], stride) for stride in (1, 2)]
  np.testing.assert_allclose(got[0], by_numpy(1, 1, 1), atol=1e-4)
  np.testing.assert_allclose(got[1], by_numpy(2, 0, 1), atol=1e-4)


@each_size
@pytest.mark.parametrize('batch', [1, 3, 4])
def test_gradients_equal_the_library_s(side: int, stride: int, batch: int) -> None:
  x, kernel = X[:batch], KERNELS[side]
  got = jax.jit(jax.value_and_grad(cubes(convolve, stride), (0, 1)))(x, kernel)
  assert_close(got, jax.jit(jax.value_and_grad(cubes(library, stride), (0, 1)))(x, kernel))


@each_size
def test_forward_mode_equals_the_library_s(side: int, stride: int) -> None:
  primals, tangents = (X, KERNELS[side]), (TANGENT, jnp.cos(KERNELS[side]))
  run = lambda function: jax.jvp(lambda *arrays: function(*arrays, stride), primals, tangents)
  assert_close(run(convolve), run(library))


def test_second_order_equals_the_library_s() -> None:
  def penalty(function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    slope = jax.grad(lambda x, kernel: jnp.sum(function(x, kernel, 2) ** 2))
    return lambda x, kernel: jnp.sum(slope(x, kernel) ** 2) / 100

  got = jax.jit(jax.grad(penalty(convolve), (0, 1)))(X, KERNELS[3])
  assert_close(got, jax.jit(jax.grad(penalty(library), (0, 1)))(X, KERNELS[3]))


def test_seeds_may_be_mapped() -> None:
  xs, kernels = jnp.stack([X, 2 * X]), jnp.stack([KERNELS[3], KERNELS[3] / 2])
  got = jax.jit(jax.vmap(jax.grad(cubes(convolve, 1), (0, 1))))(xs, kernels)
  assert_close(got, jax.jit(jax.vmap(jax.grad(cubes(library, 1), (0, 1))))(xs, kernels))


def test_only_a_cpu_adds_shifted_images() -> None:
  gradient = jax.jit(jax.grad(cubes(convolve, 1), (0, 1)))
  for platform, convolutions in (('cpu', 0), ('tpu', 3), ('cuda', 3)):
    module = gradient.trace(X, KERNELS[3]).lower(lowering_platforms=(platform,)).as_text()
    assert module.count('stablehlo.convolution') == convolutions, platform


def test_the_layer_has_the_parameters_of_a_grouped_convolution() -> None:
  values = numpy_layers.variables(DepthwiseConv(3, 2), X)
  assert {name: leaf.shape for name, leaf in values['params'].items()} == {'kernel': (3, 3, 1, 3)}
  got = DepthwiseConv(3, 2).apply(values, X)
  np.testing.assert_allclose(got, library(X, values['params']['kernel'], 2), atol=1e-5)


def test_bfloat16_stays_bfloat16() -> None:
  module = DepthwiseConv(5)
  values = jax.tree.map(jnp.bfloat16, numpy_layers.variables(module, X))
  y, pullback = jax.vjp(lambda x: module.apply(values, x), X.astype(jnp.bfloat16))
  assert y.dtype == pullback(y)[0].dtype == jnp.bfloat16
