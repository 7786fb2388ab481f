"""Numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from tlda import losses


def test_the_penalty_is_of_the_norm() -> None:
  # Norms 5, 1 and 0.
  gradients = jnp.array([[3.0, 4.0], [0.0, -1.0], [0.0, 0.0]])
  np.testing.assert_allclose(losses.gradient_penalty(gradients), [16.0, 0.0, 1.0], rtol=1e-6)


def test_the_slope_of_the_penalty_is_along_the_gradient_and_none_at_zero() -> None:
  # d (n - 1)^2 = 2 (n - 1) g / n = 8 (3, 4) / 5.
  slope = jax.grad(lambda x: losses.gradient_penalty(x).sum())(jnp.array([[3.0, 4.0], [0.0, 0.0]]))
  np.testing.assert_allclose(slope, [[4.8, 6.4], [0.0, 0.0]], rtol=1e-6)
