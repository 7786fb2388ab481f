"""Numbers worked out by hand."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tlda import losses

POINTS = jnp.array([[0.0, 0.0], [1.0, 3.0], [-2.0, 1.0], [4.0, -1.0]])


@pytest.mark.parametrize('regularization', [0.02, 1.0])
def test_a_shift_costs_its_squared_length_and_pulls_back(regularization: float) -> None:
  shift = jnp.array([3.0, -4.0])
  loss = functools.partial(losses.sinkhorn_divergence, regularization=regularization)
  value, gradient = jax.value_and_grad(loss, argnums=1)(POINTS, POINTS + shift, iterations=500)
  np.testing.assert_allclose(value, 25, rtol=1e-4)
  np.testing.assert_allclose(gradient, jnp.tile(2 * shift / 4, (4, 1)), atol=5e-3)


def test_equal_samples_are_at_no_distance_in_any_order() -> None:
  value, gradient = jax.value_and_grad(losses.sinkhorn_divergence)(POINTS, POINTS[::-1])
  np.testing.assert_allclose(value, 0, atol=1e-4)
  np.testing.assert_allclose(gradient, 0, atol=1e-2)


def test_weights_say_how_much_there_is_to_carry() -> None:
  # One half of the mass at 0 must go to 2: half of 4. Regularisation would blur it.
  source, target = jnp.zeros((1, 1)), jnp.array([[0.0], [2.0]])
  loss = functools.partial(losses.sinkhorn_divergence, regularization=0.01)
  np.testing.assert_allclose(loss(source, target), 2, rtol=1e-2)
  three = jnp.array([3.0, 1.0])
  np.testing.assert_allclose(loss(source, target, target_weights=three), 1, rtol=2e-2)


def test_a_label_is_transported_to_where_it_is_predicted() -> None:
  # Two source examples at one place with labels 0 and 1; two target examples predicted so. The
  # plan pairs them, and each pair costs -log(3/4); crossed, -log(1/4).
  logits = jnp.log(jnp.array([[3.0, 1.0], [1.0, 3.0]]))
  zeros, labels = jnp.zeros((2, 2)), jnp.array([0, 1])
  loss = functools.partial(
    losses.joint_distribution_transport, label_weight=1.0, regularization=0.02
  )
  np.testing.assert_allclose(loss(zeros, zeros, labels, logits), np.log(4 / 3), rtol=1e-5)
  np.testing.assert_allclose(loss(zeros, zeros, labels[::-1], logits), np.log(4 / 3), rtol=1e-5)
  # Far apart in features, in the wrong order: carried by features, at the price of labels.
  places = jnp.array([[0.0, 0.0], [100.0, 0.0]])
  wrong = loss(places, places[::-1], labels, logits)
  np.testing.assert_allclose(wrong, np.log(4), rtol=1e-4)
