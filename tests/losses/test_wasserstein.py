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


def test_nuclear_norms_by_hand() -> None:
  # Certain, one of each class: singular values 1 and 1. Twice the same class: sqrt(2) and 0.
  diverse, same = jnp.eye(2), jnp.array([[1.0, 0.0], [1.0, 0.0]])
  value = losses.nuclear_wasserstein_discrepancy(diverse, same)
  np.testing.assert_allclose(value, (2 - np.sqrt(2)) / 2, rtol=1e-6)


def test_equal_and_zero_singular_values_have_a_finite_slope() -> None:
  slope = jax.grad(losses.nuclear_wasserstein_discrepancy, argnums=(0, 1))
  for rows in (jnp.eye(3), jnp.ones((4, 3)) / 3, jnp.eye(3)[jnp.array([0, 0, 0])]):
    assert all(jnp.isfinite(part).all() for part in slope(rows, rows))


def test_singular_values_of_zero_get_no_gradient() -> None:
  # Uniform predictions, n = 4 of K = 2 classes, have one singular value: its gradient is u v^T,
  # 1 / sqrt(n K) everywhere, divided by n.
  uniform = jnp.full((4, 2), 0.5)
  found = jax.grad(losses.nuclear_wasserstein_discrepancy)(uniform, uniform)
  np.testing.assert_allclose(found, np.full((4, 2), 1 / (4 * np.sqrt(8))), rtol=1e-5)
