"""Gradient reversal: the identity forward, the scaled opposite backward."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tlda.models import gradient_reversal


def test_forward_is_the_identity() -> None:
  x = jnp.array([[1.5, -2.0], [0.0, jnp.inf]])
  np.testing.assert_array_equal(gradient_reversal(x, 0.3), x)


@pytest.mark.parametrize('coefficient', [0.0, 0.3, 1, jnp.float32(2.5)])
def test_backward_is_the_scaled_opposite(coefficient: float) -> None:
  x = jnp.array([1.0, -2.0, 3.0])
  gradient = jax.grad(lambda x: jnp.sum(gradient_reversal(x, coefficient) ** 2))(x)
  np.testing.assert_allclose(gradient, -float(coefficient) * 2 * np.array([1, -2, 3]), rtol=1e-6)


def test_the_coefficient_may_be_traced_and_gets_no_gradient() -> None:
  def loss(x: jax.Array, coefficient: jax.Array) -> jax.Array:
    return jnp.sum(gradient_reversal(x, coefficient) ** 3)

  x = jnp.array([1.0, 2.0])
  gradients = jax.jit(jax.grad(loss, argnums=(0, 1)))(x, jnp.float32(0.5))
  np.testing.assert_allclose(gradients[0], [-1.5, -6.0], rtol=1e-6)
  assert gradients[1] == 0


def test_dtype_is_kept_both_ways() -> None:
  x = jnp.ones(3, jnp.bfloat16)
  y, pullback = jax.vjp(lambda x: gradient_reversal(x, jnp.float32(0.5)), x)
  assert y.dtype == jnp.bfloat16
  assert pullback(y)[0].dtype == jnp.bfloat16


def test_only_what_lies_below_is_reversed() -> None:
  def loss(below: jax.Array, above: jax.Array) -> jax.Array:
    return above * gradient_reversal(below * 3.0, 0.1)

  gradients = jax.grad(loss, argnums=(0, 1))(jnp.float32(2.0), jnp.float32(5.0))
  np.testing.assert_allclose(gradients, [-0.1 * 5 * 3, 6.0], rtol=1e-6)


def test_each_seed_may_have_its_own_coefficient() -> None:
  gradient = jax.vmap(jax.grad(lambda x, coefficient: gradient_reversal(x, coefficient) ** 2))
  np.testing.assert_allclose(
    gradient(jnp.array([1.0, 2.0]), jnp.array([0.5, 1.0])), [-1.0, -4.0], rtol=1e-6
  )
