"""Numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from tlda import losses

LOG_2, LOG_3 = 0.6931471805599453, 1.0986122886681098


def test_predictions_that_do_not_know_confuse_every_class_with_every_other() -> None:
  # Each row of the confusion is [1/4, ...]: three quarters lie off the diagonal.
  value = losses.minimum_class_confusion(jnp.zeros((3, 4)))
  np.testing.assert_allclose(value, 0.75, rtol=1e-6)


def test_confusion_of_two_mirrored_predictions() -> None:
  # Y = [[3/4, 1/4], [1/4, 3/4]]: Y^T Y = [[10, 6], [6, 10]] / 16, and 6/16 of each row is off.
  logits = jnp.array([[2 * LOG_3, 0.0], [0.0, 2 * LOG_3]])
  value = losses.minimum_class_confusion(logits, temperature=2.0)
  np.testing.assert_allclose(value, 6 / 16, rtol=1e-6)


def test_a_heavy_example_counts_as_many() -> None:
  logits = jnp.array([[1.0, 0.0, 0.5], [0.0, 2.0, 0.3], [0.0, 2.0, 0.3]])
  weighted = losses.minimum_class_confusion(logits[:2], weights=jnp.array([1.5, 3.0]))
  np.testing.assert_allclose(weighted, losses.minimum_class_confusion(logits), rtol=1e-6)


def test_a_class_that_nobody_predicts_is_confused_and_finite() -> None:
  logits = jnp.array([[1e4, 0.0], [1e4, 0.0]])
  value, gradient = jax.value_and_grad(losses.minimum_class_confusion)(logits)
  np.testing.assert_allclose(value, 0.5, rtol=1e-6)
  np.testing.assert_array_equal(gradient, np.zeros((2, 2)))


def test_nuclear_norm_of_sure_predictions_is_the_sum_of_the_roots_of_their_counts() -> None:
  # Three of one class and one of another: (sqrt 3 + 1) / 4; all of one class: 2 / 4.
  apart = 1e3 * jnp.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
  np.testing.assert_allclose(losses.batch_nuclear_norm(apart), -(3**0.5 + 1) / 4, rtol=1e-6)
  alike = 1e3 * jnp.array([[1.0, 0.0]] * 4)
  np.testing.assert_allclose(losses.batch_nuclear_norm(alike), -0.5, rtol=1e-6)


def test_nuclear_norm_of_uniform_predictions_has_rank_one_and_rests() -> None:
  # Sixteen times 1/4: the one singular value is sqrt(4 * 4 / 16) = 1. Its gradient in the
  # probabilities is the same for all classes, which logits cannot follow.
  value, gradient = jax.value_and_grad(losses.batch_nuclear_norm)(jnp.zeros((4, 4)))
  np.testing.assert_allclose(value, -0.25, rtol=1e-6)
  np.testing.assert_allclose(gradient, np.zeros((4, 4)), atol=1e-7)


def test_information_of_sure_predictions_is_the_entropy_of_their_classes() -> None:
  # One of four in the second class: 3/4 log(4/3) + 1/4 log 4.
  logits = 1e3 * jnp.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
  value = losses.information_maximization(logits)
  np.testing.assert_allclose(value, -(2 * LOG_2 - 0.75 * LOG_3), rtol=1e-6)


def test_equal_predictions_carry_no_information() -> None:
  logits = jnp.tile(jnp.array([[0.3, 2.0, -1.0]]), (5, 1))
  np.testing.assert_allclose(losses.information_maximization(logits), 0.0, atol=1e-6)
