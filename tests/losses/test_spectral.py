"""Numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from tlda import losses

# Singular values 3, 2, 1, more rows than columns.
TALL = jnp.zeros((5, 3)).at[0, 1].set(-3.0).at[2, 0].set(2.0).at[4, 2].set(1.0)


def test_the_largest_singular_values_are_squared_and_summed() -> None:
  zeros = jnp.zeros((2, 3))
  for count, expected in ((1, 9), (2, 13), (3, 14), (7, 14)):
    value = losses.batch_spectral_penalty(TALL, zeros, singular_values=count)
    np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_both_samples_and_both_shapes_count_alike() -> None:
  wide = jnp.zeros((2, 3)).at[0, 0].set(4.0)
  np.testing.assert_allclose(losses.batch_spectral_penalty(TALL, wide), 9 + 16, rtol=1e-6)
  np.testing.assert_allclose(losses.batch_spectral_penalty(wide, TALL), 9 + 16, rtol=1e-6)


def test_the_gradient_lies_in_the_largest_direction() -> None:
  gradient = jax.grad(losses.batch_spectral_penalty)(TALL, TALL)
  np.testing.assert_allclose(gradient, jnp.zeros((5, 3)).at[0, 1].set(-6.0), atol=1e-6)


def test_equal_singular_values_have_a_finite_gradient() -> None:
  # All of them: the sum of squares of all entries.
  for x in (jnp.eye(4), jnp.eye(6)[:4]):
    loss = lambda x: losses.batch_spectral_penalty(x, x, singular_values=4)
    np.testing.assert_allclose(jax.grad(loss)(x), 4 * x, atol=1e-6)


def test_the_smallest_singular_values_are_squared_and_summed() -> None:
  for x in (TALL, TALL.T):
    for count, expected in ((1, 1), (2, 5), (3, 14), (7, 14)):
      value = losses.batch_spectral_shrinkage(x, singular_values=count)
      np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_what_shrinks_is_the_smallest_direction() -> None:
  gradient = jax.grad(losses.batch_spectral_shrinkage)(TALL)
  np.testing.assert_allclose(gradient, jnp.zeros((5, 3)).at[4, 2].set(2.0), atol=1e-6)
