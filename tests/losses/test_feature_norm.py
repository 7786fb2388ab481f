"""Numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from tlda import losses

# Norms 5 and 13.
FEATURES = jnp.array([[3.0, 4.0], [5.0, -12.0]])


def test_hard_compares_the_mean_norm_with_the_radius() -> None:
  np.testing.assert_allclose(losses.hard_feature_norm(FEATURES, radius=10.0), 1.0, rtol=1e-6)
  # 2 (9 - 10) / 2 times the direction of each row.
  gradient = jax.grad(losses.hard_feature_norm)(FEATURES, radius=10.0)
  np.testing.assert_allclose(gradient, [[-3 / 5, -4 / 5], [-5 / 13, 12 / 13]], rtol=1e-6)


def test_stepwise_pushes_every_row_outward_alike() -> None:
  gradient = jax.grad(lambda x: losses.stepwise_feature_norm(x, step=0.5).sum())(FEATURES)
  np.testing.assert_allclose(gradient, [[-3 / 5, -4 / 5], [-5 / 13, 12 / 13]], rtol=1e-6)
  np.testing.assert_allclose(losses.stepwise_feature_norm(FEATURES, step=0.5), 0.25, rtol=1e-6)


def test_features_of_zero_have_no_direction_to_grow_in() -> None:
  zeros = jnp.zeros((2, 3))
  gradient = jax.grad(lambda x: losses.stepwise_feature_norm(x).sum())(zeros)
  np.testing.assert_array_equal(gradient, 0)
  np.testing.assert_array_equal(jax.grad(losses.hard_feature_norm)(zeros), 0)
