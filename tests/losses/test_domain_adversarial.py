"""Numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from tlda import losses

LOG_2, LOG_3 = 0.6931471805599453, 1.0986122886681098


def test_a_classifier_that_cannot_tell_has_log_two() -> None:
  value = losses.domain_adversarial(jnp.zeros(3), jnp.zeros(5))
  np.testing.assert_allclose(value, LOG_2, rtol=1e-6)


def test_a_positive_logit_means_source() -> None:
  # sigmoid(log 3) = 3/4: both right costs log(4/3), both wrong log 4.
  right = losses.domain_adversarial(jnp.array([LOG_3]), jnp.array([-LOG_3]))
  wrong = losses.domain_adversarial(jnp.array([-LOG_3]), jnp.array([LOG_3]))
  np.testing.assert_allclose([right, wrong], [2 * LOG_2 - LOG_3, 2 * LOG_2], rtol=1e-6)


def test_the_domains_have_equal_weight_whatever_their_sizes() -> None:
  # Sources right, one target wrong: (log(4/3) + log 4) / 2 for one source or for four.
  for sources in (1, 4):
    value = losses.domain_adversarial(jnp.full(sources, LOG_3), jnp.array([LOG_3]))
    np.testing.assert_allclose(value, 2 * LOG_2 - LOG_3 / 2, rtol=1e-6)


def test_a_sure_mistake_still_has_a_gradient() -> None:
  gradient = jax.grad(losses.domain_adversarial)(jnp.array([-1e4]), jnp.array([0.0]))
  np.testing.assert_allclose(gradient, [-0.5])


def test_weights_multiply_each_example() -> None:
  # Weights (2, 0) on losses of log 2 leave their mean; a weight of 3 on the target's triples it.
  value = losses.domain_adversarial(
    jnp.zeros(2),
    jnp.zeros(1),
    source_weights=jnp.array([2.0, 0.0]),
    target_weights=jnp.array([3.0]),
  )
  np.testing.assert_allclose(value, 2 * LOG_2, rtol=1e-6)


def test_confusion_is_least_where_the_classifier_cannot_tell() -> None:
  # At log 3: (log(4/3) + log 4) / 2 = 2 log 2 - (log 3) / 2, for either sign.
  value = losses.domain_confusion(jnp.array([0.0, LOG_3, -LOG_3]))
  np.testing.assert_allclose(value, [LOG_2, *2 * [2 * LOG_2 - LOG_3 / 2]], rtol=1e-6)
