"""The 1x1 convolution against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np

from tests.models import numpy_layers
from tlda.models.pointwise import PointwiseConv

X = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)


def test_equals_numpy() -> None:
  values = numpy_layers.variables(PointwiseConv(6), X)
  kernel = values['params']['kernel']
  assert kernel.shape == (1, 1, 5, 6)
  got = PointwiseConv(6).apply(values, X)
  np.testing.assert_allclose(got, numpy_layers.convolve(X, kernel), atol=1e-5)


def test_bfloat16_stays_bfloat16() -> None:
  values = jax.tree.map(jnp.bfloat16, numpy_layers.variables(PointwiseConv(6), X))
  assert PointwiseConv(6).apply(values, jnp.asarray(X, jnp.bfloat16)).dtype == jnp.bfloat16
