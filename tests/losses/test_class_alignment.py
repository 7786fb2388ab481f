"""Numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np

from tlda import losses


def test_centroids_are_as_far_apart_as_their_classes_together() -> None:
  source, target = jnp.array([[0.0, 0.0], [1.0, 1.0]]), jnp.array([[3.0, 4.0], [1.0, 2.0]])
  np.testing.assert_allclose(losses.centroid_alignment(source, target), 25.0 + 1.0)


def _two_points(source_labels: list[int], target_labels: list[int], classes: int = 2) -> jax.Array:
  """Returns the loss of the points 0 and 1 in both domains."""
  points = jnp.array([[0.0], [1.0]])
  labels = (jnp.array(source_labels), jnp.array(target_labels))
  return losses.contrastive_domain_discrepancy(points, points, *labels, classes=classes)


# Of the twelve ordered pairs of the four points, eight are at distance 1: the mean is 2/3, and
# the five kernels are a quarter to four times as wide.
FAR = 2 * sum(1 - np.exp(-1.5 / share) for share in (0.25, 0.5, 1.0, 2.0, 4.0))


def test_right_labels_bring_it_down_and_swapped_ones_up() -> None:
  np.testing.assert_allclose(_two_points([0, 1], [0, 1]), -FAR, rtol=1e-5)
  np.testing.assert_allclose(_two_points([0, 1], [1, 0]), FAR, rtol=1e-5)


def test_only_classes_of_both_domains_count() -> None:
  np.testing.assert_allclose(_two_points([0, 1], [1, -1]), FAR, rtol=1e-5)
  np.testing.assert_allclose(_two_points([0, 1], [-1, 1], classes=7), 0.0, atol=1e-6)
  np.testing.assert_array_equal(_two_points([0, 0], [1, 1]), 0.0)
  np.testing.assert_array_equal(_two_points([0, 1], [-1, -1]), 0.0)
