"""Numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from tlda import losses

LOG_2, LOG_3 = 0.6931471805599453, 1.0986122886681098


def test_two_classifiers_disagree_by_the_gap_of_their_probabilities() -> None:
  # [3/4, 1/4] against [1/2, 1/2]: 1/4 in either class. Sure and opposite: 1 in either class.
  logits = jnp.array([[LOG_3, 0.0], [50.0, -50.0]])
  other = jnp.array([[5.0, 5.0], [-50.0, 50.0]])
  value = losses.classifier_discrepancy(logits, other)
  np.testing.assert_allclose(value, [0.25, 1.0], rtol=1e-6)


def test_discrepancy_has_opposite_gradients_in_two_equally_sure_classifiers() -> None:
  logits, other = jnp.array([[LOG_3, 0.0]]), jnp.array([[0.0, LOG_3]])
  total = lambda a, b: losses.classifier_discrepancy(a, b).sum()
  # |3/4 - 1/4| in both classes, and p(1 - p) = 3/16 is the slope of each probability.
  left, right = jax.grad(total, argnums=(0, 1))(logits, other)
  np.testing.assert_allclose(left, [[3 / 16, -3 / 16]], rtol=1e-6)
  np.testing.assert_allclose(right, [[-3 / 16, 3 / 16]], rtol=1e-6)
