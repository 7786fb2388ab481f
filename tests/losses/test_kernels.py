"""Numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from tlda import losses

ZERO, ONE = jnp.zeros((1, 1)), jnp.ones((1, 1))


def test_two_points_have_their_squared_distance_as_bandwidth() -> None:
  # k(x, x) = 1 and k(x, y) = exp(-1), whatever their distance: 1 + 1 - 2 exp(-1).
  for scale in (1e-3, 1.0, 1e3):
    value = losses.maximum_mean_discrepancy(ZERO, scale * ONE, kernels=1)
    np.testing.assert_allclose(value, 2 - 2 * np.exp(-1), rtol=1e-6)


def test_five_kernels_are_a_mean_of_widths_around_it() -> None:
  mean = np.mean(np.exp([-4.0, -2.0, -1.0, -0.5, -0.25]))
  value = losses.maximum_mean_discrepancy(ZERO, ONE)
  np.testing.assert_allclose(value, 2 - 2 * mean, rtol=1e-6)


def test_the_bandwidth_gets_no_gradient() -> None:
  # d/dy of 2 - 2 exp(-y^2 / b) at y = b = 1.
  gradient = jax.grad(losses.maximum_mean_discrepancy, argnums=1)(ZERO, ONE, kernels=1)
  np.testing.assert_allclose(gradient, [[4 * np.exp(-1)]], rtol=1e-6)


def test_a_weight_of_zero_leaves_only_the_bandwidth_behind() -> None:
  # Squared distances 1, 4, 1 have the mean 2.
  weights = jnp.array([1.0, 0.0])
  value = losses.maximum_mean_discrepancy(
    jnp.array([[0.0], [2.0]]), ONE, source_weights=weights, kernels=1
  )
  np.testing.assert_allclose(value, 2 - 2 * np.exp(-0.5), rtol=1e-6)


def test_equal_rows_that_no_float_holds_exactly_stay_where_they_are() -> None:
  rows = jnp.full((6, 50), 0.1)
  value, gradient = jax.value_and_grad(losses.maximum_mean_discrepancy)(rows, rows[:5])
  np.testing.assert_allclose(value, 0, atol=1e-6)
  np.testing.assert_allclose(gradient, 0, atol=1e-3)


def test_the_joint_kernel_is_a_product() -> None:
  # Both kernels are exp(-1) between the two points: 2 - 2 exp(-2).
  half = jnp.array([[0.5, 0.5]])
  sure = jnp.array([[1.0, 0.0]])
  value = losses.joint_maximum_mean_discrepancy(ZERO, ONE, half, sure, kernels=1)
  np.testing.assert_allclose(value, 2 - 2 * np.exp(-2), rtol=1e-6)


def test_classes_are_compared_apart() -> None:
  # Classes at 0 and 1 in both samples, in other proportions: nothing to do. With the target's
  # predictions turned round, each class is one point against the other. The bandwidth is the mean
  # squared distance: of 10 pairs, 2 * 3 are 1 apart.
  source, labels = jnp.array([[0.0], [1.0]]), jnp.array([0, 1])
  target = jnp.array([[0.0], [0.0], [1.0]])
  right = jnp.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
  for probabilities, expected in ((right, 0), (1 - right, 2 - 2 * np.exp(-1 / 0.6))):
    value = losses.local_maximum_mean_discrepancy(source, target, labels, probabilities, kernels=1)
    np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-7)
  assert losses.maximum_mean_discrepancy(source, target) > 0.01


def test_a_class_that_one_sample_lacks_does_not_count() -> None:
  source, target = jnp.array([[0.0], [1.0]]), jnp.array([[0.0], [5.0]])
  probabilities = jnp.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
  loss = lambda labels: losses.local_maximum_mean_discrepancy(
    source, target, jnp.array(labels), probabilities
  )
  np.testing.assert_allclose(loss([0, 1]), 0, atol=1e-7)
  np.testing.assert_allclose(loss([1, 1]), 0, atol=1e-7)
