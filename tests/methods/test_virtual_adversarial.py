"""The worst direction of a linear prediction by hand, and its place among random ones."""

import jax
import jax.numpy as jnp
import numpy as np

from tlda import losses
from tlda.methods.virtual_adversarial import worst_direction


def test_the_direction_of_two_classes_is_the_difference_of_their_weights() -> None:
  """The matrix has rank one: p (1 - p) d d^T with d = w_1 - w_2, so that one iteration ends."""
  weights = jnp.array([[1.0, 0.0], [0.0, 2.0], [2.0, 0.0]])  # [inputs, classes]
  inputs, noise = jax.random.normal(jax.random.key(0), (2, 4, 3))
  found = np.asarray(worst_direction(lambda x: x @ weights, inputs, noise))
  along = np.array([1.0, -2.0, 2.0]) / 3
  np.testing.assert_allclose(np.abs(found @ along), 1.0, rtol=1e-5)
  np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, rtol=1e-5)


def test_it_changes_predictions_more_than_the_noise_that_it_began_with() -> None:
  predict = lambda x: jnp.tanh(x @ jax.random.normal(jax.random.key(1), (20, 5)))
  inputs, noise = jax.random.normal(jax.random.key(2), (2, 50, 20))
  worst = worst_direction(predict, inputs, noise)
  change = lambda r: losses.kullback_leibler(predict(inputs + 0.01 * r), predict(inputs))
  unit = noise / jnp.linalg.norm(noise, axis=1, keepdims=True)
  assert (change(worst) > change(unit)).mean() > 0.95


def test_a_prediction_that_nothing_changes_has_no_direction() -> None:
  inputs = jnp.ones((2, 3))
  found = worst_direction(lambda x: jnp.zeros((2, 4)) + 0 * x.sum(), inputs, inputs)
  np.testing.assert_array_equal(found, np.zeros((2, 3)))
