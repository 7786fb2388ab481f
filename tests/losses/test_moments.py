"""Numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from tlda import losses

# Two features; variances 2 and 0, no covariance (n - 1 = 1).
WIDE = jnp.array([[-1.0, 5.0], [1.0, 5.0]])


def test_coral_compares_covariances_and_not_means() -> None:
  # |diag(2, 0) - diag(0, 0)|^2 / (4 * 2^2)
  still = jnp.array([[7.0, -3.0], [7.0, -3.0], [7.0, -3.0]])
  np.testing.assert_allclose(losses.coral(WIDE, still), 4 / 16, rtol=1e-6)
  np.testing.assert_allclose(losses.coral(WIDE, WIDE + 100), 0, atol=1e-9)


def test_coral_takes_a_weight_of_zero_for_an_absent_example() -> None:
  more = jnp.concatenate([WIDE, jnp.array([[50.0, 60.0]])])
  value = losses.coral(more, jnp.zeros((2, 2)), source_weights=jnp.array([3.0, 3.0, 0.0]))
  np.testing.assert_allclose(value, 4 / 16, rtol=1e-6)


def test_coral_of_one_example_has_no_covariance() -> None:
  np.testing.assert_allclose(losses.coral(WIDE[:1], WIDE), 4 / 16, rtol=1e-6)


def test_central_moments() -> None:
  # Means 0.5 and 0.25; variances 1/4 and 3/16; third moments 0 and 3/32.
  source = jnp.array([[0.0], [1.0]])
  target = jnp.array([[0.0], [0.0], [0.0], [1.0]])
  for moments, expected in ((1, 1 / 4), (2, 1 / 4 + 1 / 16), (3, 1 / 4 + 1 / 16 + 3 / 32)):
    value = losses.central_moment_discrepancy(source, target, moments=moments)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
  value = losses.central_moment_discrepancy(source, target, moments=3, span=2.0)
  np.testing.assert_allclose(value, 1 / 8 + 1 / 64 + 3 / 256, rtol=1e-6)


def test_a_norm_is_taken_over_features_for_each_order() -> None:
  value = losses.central_moment_discrepancy(jnp.zeros((2, 2)), jnp.array([[3.0, 4.0]]))
  np.testing.assert_allclose(value, 5.0, rtol=1e-6)


def test_where_moments_agree_nothing_moves() -> None:
  gradient = jax.grad(losses.central_moment_discrepancy)(WIDE, WIDE)
  np.testing.assert_array_equal(gradient, 0)
