"""Density ratios that are known, and what weights do to a machine."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tlda.shallow import KLIEP, SVM, ULSIF, kliep, ulsif
from tlda.shallow.kmm import matched, projected
from tlda.shallow.linear import gaussian
from tlda.shallow.shallow import Problem
from tlda.shallow.svm import separate

# Two places far from each other: 6 and 2 of the source, 1 and 3 of the target.
SOURCE = np.array([[0.0]] * 6 + [[100.0]] * 2)
TARGET = np.array([[0.0]] + [[100.0]] * 3)
RATIO = np.array([1 / 3] * 6 + [3.0] * 2)
METHODS = KLIEP(kernels=20, iterations=100), ULSIF(kernels=20)


def kernels(basis: np.ndarray) -> list[jax.Array]:
  return [gaussian(jnp.asarray(x), jnp.asarray(basis), 1.0) for x in (SOURCE, TARGET)]


def test_matched_means_have_the_ratio_of_counts() -> None:
  with jax.enable_x64(True):
    within, between = (gaussian(jnp.asarray(SOURCE), jnp.asarray(x), 1.0) for x in (SOURCE, TARGET))
    np.testing.assert_allclose(matched(within, between, 9.0, 0.5, 300), RATIO, rtol=1e-6)
    # At most 2 each, their sum is 6 + 4 - as near to 8 as a slack of 0 wants.
    bounded = matched(within, between, 2.0, 0.0, 300)
  np.testing.assert_allclose(bounded, [4 / 6] * 6 + [2.0] * 2, rtol=1e-6)


def test_projections_are_the_nearest_weights() -> None:
  weights = jnp.array([-1.0, 0.5, 3.0])
  np.testing.assert_allclose(projected(weights, 2.0, 0.5), [0, 0.5, 2], atol=1e-6)
  # The mean must be 1: the last is at its bound, and the others are moved alike.
  np.testing.assert_allclose(projected(weights, 2.0, 0.0), [0, 1, 2], atol=1e-6)
  np.testing.assert_allclose(projected(weights + 9, 9.0, 0.0), [0, 0.25, 2.75], atol=1e-5)


def test_the_likeliest_ratio_is_that_of_counts() -> None:
  with jax.enable_x64(True):
    source, target = kernels(np.array([[0.0], [100.0]]))
    np.testing.assert_allclose(
      source @ kliep.ratio(source, target, np.ones(4, bool), 50), RATIO, rtol=1e-9
    )


def test_the_least_squares_ratio_is_that_of_counts() -> None:
  with jax.enable_x64(True):
    source, target = kernels(np.array([[0.0], [100.0]]))
    every = np.ones(8, bool), np.ones(4, bool)
    np.testing.assert_allclose(source @ ulsif.ratio(source, target, *every, 1e-9), RATIO, rtol=1e-6)
    found = ulsif.ratio(source, target, *every, 0.25)
    # Tested on the first of the source and the last of the target, fitted to all the others.
    held = np.arange(8)[None] < 1, np.arange(4)[None] > 2
    error = ulsif.held_out_error(source, target, *held, 0.25)
  # (3/4 + 1/4) a = 1/4 and (1/4 + 1/4) b = 3/4.
  np.testing.assert_allclose(found, [0.25, 1.5], rtol=1e-9)
  # (5/7 + 1/4) a = 1/3 and (2/7 + 1/4) b = 2/3, of which a is at the one and b at the other.
  one, other = (1 / 3) / (5 / 7 + 1 / 4), (2 / 3) / (2 / 7 + 1 / 4)
  np.testing.assert_allclose(error, one**2 / 2 - other, rtol=1e-9)


@pytest.mark.parametrize('method', METHODS, ids=lambda x: type(x).__name__)
def test_a_weighted_gaussian_has_the_moments_of_another(method: KLIEP | ULSIF) -> None:
  rng = np.random.default_rng(0)
  source, target = rng.normal(size=(100, 1)), 0.7 * rng.normal(size=(100, 1)) + 0.5
  with jax.enable_x64(True):
    arrays = map(jnp.asarray, (source, np.arange(100) % 2, target, target))
    found = np.asarray(method.weights(Problem(*arrays, classes=2)))
  # Weighted so, the source has the mean and the mean square of the target.
  moments = [np.average(source[:, 0] ** power, weights=found) for power in (1, 2)]
  np.testing.assert_allclose(moments, [np.mean(target), np.mean(target**2)], atol=0.1)
  assert found.min() >= 0


def test_a_machine_of_two_points_is_their_midplane() -> None:
  scores = SVM(c=10.0).predict([[-1.0], [3.0]], [0, 1], [[0.0], [1.0], [2.0], [3.0]])
  np.testing.assert_allclose(scores[:, 1], [-0.5, 0.0, 0.5, 1.0], atol=1e-6)
  np.testing.assert_allclose(scores[:, 0], -scores[:, 1])


def test_weights_say_whose_error_is_dear() -> None:
  rows = np.array([[-2.0], [-1.0], [1.0], [2.0], [0.5]])
  labels = np.array([0, 0, 1, 1, 0])
  test = np.array([[0.5]]) @ rows.T
  light, heavy = (
    separate(rows @ rows.T, labels, test, 1.0, np.array([1, 1, 1, 1, weight]))
    for weight in (1e-3, 50.0)
  )
  assert light.argmax() == 1
  assert heavy.argmax() == 0


def test_the_price_is_chosen_by_what_is_held_out() -> None:
  """Where 1 of 10 labels of each cluster is wrong, a soft margin tells more than a hard one."""
  rng = np.random.default_rng(0)
  rows = np.repeat([[-1.0], [1.0]], 20, axis=0) + 0.1 * rng.normal(size=(40, 1))
  labels = np.repeat([0, 1], 20)
  scores = SVM().predict(rows, labels, [[-1.0], [1.0]])
  np.testing.assert_array_equal(scores.argmax(1), [0, 1])
  assert SVM(c=1e-9).predict(rows, labels, [[1.0]]).max() < scores.max()
