"""Numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from tlda import losses

LOG_2, LOG_3 = 0.6931471805599453, 1.0986122886681098


def test_equal_logits_cost_the_logarithm_of_the_number_of_classes() -> None:
  value = losses.cross_entropy(jnp.zeros((2, 3)), jnp.array([0, 2]))
  np.testing.assert_allclose(value, [LOG_3, LOG_3], rtol=1e-6)


def test_the_label_picks_its_probability() -> None:
  # softmax([log 3, 0]) = [3/4, 1/4]
  logits = jnp.array([[LOG_3, 0.0], [LOG_3, 0.0]])
  value = losses.cross_entropy(logits, jnp.array([0, 1]))
  np.testing.assert_allclose(value, [2 * LOG_2 - LOG_3, 2 * LOG_2], rtol=1e-6)


def test_label_smoothing_gives_a_share_to_all_classes() -> None:
  # The truth is [0.9, 0.1]: 0.9 log(4/3) + 0.1 log 4.
  logits = jnp.array([[LOG_3, 0.0]])
  value = losses.cross_entropy(logits, jnp.array([0]), label_smoothing=0.2)
  np.testing.assert_allclose(value, [2 * LOG_2 - 0.9 * LOG_3], rtol=1e-6)


def test_gradient_is_the_probability_less_the_truth() -> None:
  logits = jnp.array([[LOG_3, 0.0]])
  gradient = jax.grad(lambda x: losses.cross_entropy(x, jnp.array([1])).sum())(logits)
  np.testing.assert_allclose(gradient, [[0.75, -0.75]], rtol=1e-6)


def test_a_label_out_of_range_is_not_a_number() -> None:
  value = losses.cross_entropy(jnp.zeros((2, 3)), jnp.array([3, 0]))
  np.testing.assert_array_equal(jnp.isnan(value), [True, False])
