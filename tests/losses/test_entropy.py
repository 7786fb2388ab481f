"""Numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from tlda import losses

LOG_2, LOG_3 = 0.6931471805599453, 1.0986122886681098


def test_it_is_the_logarithm_of_the_number_of_classes_at_most() -> None:
  np.testing.assert_allclose(losses.entropy(jnp.full((1, 4), 7.0)), [2 * LOG_2], rtol=1e-6)


def test_two_classes() -> None:
  # softmax([log 3, 0]) = [3/4, 1/4]: 3/4 log(4/3) + 1/4 log 4.
  value = losses.entropy(jnp.array([[LOG_3, 0.0]]))
  np.testing.assert_allclose(value, [2 * LOG_2 - 0.75 * LOG_3], rtol=1e-6)


def test_a_sure_prediction_has_none_and_stays() -> None:
  logits = jnp.array([[1e4, 0.0]])
  np.testing.assert_array_equal(losses.entropy(logits), [0.0])
  gradient = jax.grad(lambda x: losses.entropy(x).sum())(logits)
  np.testing.assert_array_equal(gradient, [[0.0, 0.0]])
