"""Numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tlda import losses

LOG_2, LOG_3 = 0.6931471805599453, 1.0986122886681098


@pytest.mark.parametrize(('threshold', 'expected'), [(0.0, 2 * LOG_2), (0.7, 2 * LOG_2), (0.8, 0)])
def test_only_a_sure_view_teaches(threshold: float, expected: float) -> None:
  # The weak view gives its first class 3/4, the strong one 1/4.
  weak, strong = jnp.array([[LOG_3, 0.0]]), jnp.array([[0.0, LOG_3]])
  value = losses.confident_cross_entropy(weak, strong, threshold=threshold)
  np.testing.assert_allclose(value, [expected], rtol=1e-6)


def test_one_view_that_teaches_itself_grows_surer() -> None:
  logits = jnp.array([[LOG_3, 0.0]])
  teach = lambda x: losses.confident_cross_entropy(x, x, threshold=0.0).sum()
  # The slope of cross-entropy: probabilities minus the label.
  np.testing.assert_allclose(jax.grad(teach)(logits), [[-0.25, 0.25]], rtol=1e-6)


def test_a_student_learns_from_a_sure_teacher_only() -> None:
  student, teacher = jnp.array([[0.5, 0.5], [0.5, 0.5]]), jnp.array([[0.75, 0.25], [1.0, 0.0]])
  value = losses.consistency(student, teacher, threshold=0.75)
  np.testing.assert_allclose(value, [0.0, 0.25])
  value = losses.consistency(student, teacher, threshold=0.7)
  np.testing.assert_allclose(value, [0.0625, 0.25])


def test_class_balance_of_two_classes() -> None:
  # The mean is (3/4, 1/4): for each class half a heads and half a tails.
  value = losses.class_balance(jnp.array([[1.0, 0.0], [0.5, 0.5]]))
  np.testing.assert_allclose(value, 4 * LOG_2 - LOG_3, rtol=1e-6)


def test_class_balance_of_a_single_class_is_finite() -> None:
  value, gradient = jax.value_and_grad(losses.class_balance)(jnp.array([[1.0, 0.0]]))
  assert jnp.isfinite(value)
  assert jnp.isfinite(gradient).all()
