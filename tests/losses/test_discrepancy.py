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


def test_margin_disparity_of_a_classifier_that_does_not_know() -> None:
  # Four equal classes: -log(1/4) on the source, -log(3/4) on the target.
  first, second = jnp.array([[9.0, 0.0, 0.0, 0.0]]), jnp.zeros((1, 4))
  value = losses.margin_disparity(first, second, first, second, margin=3.0)
  np.testing.assert_allclose(value, 3 * 2 * LOG_2 + 2 * LOG_2 - LOG_3, rtol=1e-6)


def test_margin_disparity_follows_the_first_classifier() -> None:
  # softmax([log 3, 0]) = [3/4, 1/4]. It copies the source (log 4/3) and the target too (log 4).
  first, second = jnp.array([[1.0, 0.0]]), jnp.array([[LOG_3, 0.0]])
  value = losses.margin_disparity(first, second, first, second, margin=1.0)
  np.testing.assert_allclose(value, 2 * LOG_2 - LOG_3 + 2 * LOG_2, rtol=1e-6)
  # The other way round: log 4 on the source, log 4/3 on the target.
  value = losses.margin_disparity(-first, second, -first, second, margin=2.0)
  np.testing.assert_allclose(value, 4 * LOG_2 + 2 * LOG_2 - LOG_3, rtol=1e-6)


def test_a_second_classifier_that_is_sure_on_the_target_still_learns_to_contradict() -> None:
  first, second = jnp.array([[1.0, 0.0]]), jnp.array([[1e4, 0.0]])
  loss = lambda target: losses.margin_disparity(first, first, first, target, margin=0.0)
  np.testing.assert_allclose(loss(second), 1e4, rtol=1e-6)
  np.testing.assert_allclose(jax.grad(loss)(second), [[1.0, -1.0]], rtol=1e-6)


def test_sliced_wasserstein_of_two_classes_has_one_direction() -> None:
  # All points lie on the line between (1, 0) and (0, 1). Sorted along it, 3/4 and 1/4 against 1/2
  # and 1/2 are 1/4 apart, by (1/4, -1/4): times a unit direction u, (u1 - u2)^2 / 16.
  logits, other = jnp.array([[LOG_3, 0.0], [0.0, LOG_3]]), jnp.zeros((2, 2))
  key = jax.random.key(3)
  u = np.asarray(jax.random.normal(key, (2, 1)), np.float64)[:, 0]
  value = losses.sliced_wasserstein_discrepancy(logits, other, key, projections=1)
  np.testing.assert_allclose(value, (u[0] - u[1]) ** 2 / (u @ u) / 16, rtol=1e-5)


def test_sliced_wasserstein_looks_at_clouds_and_not_at_pairs() -> None:
  logits, key = jnp.array([[2.0, 0.0, 1.0], [0.0, 1.0, 5.0]]), jax.random.key(0)
  value = losses.sliced_wasserstein_discrepancy(logits, logits[::-1], key)
  np.testing.assert_array_equal(value, 0.0)
  assert losses.classifier_discrepancy(logits, logits[::-1]).mean() > 0.1
