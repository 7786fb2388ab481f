"""Density ratios that are known, and what weights do to a machine."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tlda.shallow import KLIEP, KMM, SVM, ULSIF, density_ratio, kliep, ulsif
from tlda.shallow.kmm import matched, projected
from tlda.shallow.linear import gaussian
from tlda.shallow.shallow import Problem
from tlda.shallow.svm import separate

# Two places far from each other: 15 and 5 of the source, 5 and 15 of the target.
SOURCE = np.repeat([[0.0], [100.0]], [15, 5], axis=0)
TARGET = np.repeat([[0.0], [100.0]], [5, 15], axis=0)
RATIO = np.repeat([1 / 3, 3.0], [15, 5])
# Without the last of the target.
FEWER = np.repeat([5 / 19 / 0.75, 14 / 19 / 0.25], [15, 5])
METHODS = KMM(iterations=300), KLIEP(iterations=50), ULSIF()


def kernels() -> list[jax.Array]:
  """Returns the values of kernels around the target, at the source and at the target."""
  return [gaussian(jnp.asarray(x), jnp.asarray(TARGET), 1.0) for x in (SOURCE, TARGET)]


def test_matched_means_have_the_ratio_of_counts() -> None:
  with jax.enable_x64(True):
    within, between = (gaussian(jnp.asarray(SOURCE), jnp.asarray(x), 1.0) for x in (SOURCE, TARGET))
    np.testing.assert_allclose(matched(within, between, 9.0, 0.5, 300), RATIO, rtol=1e-6)
    # Five of 2 at most leave 10 of 20 to the others, whose mean a slack of 0 makes 1.
    bounded = matched(within, between, 2.0, 0.0, 300)
  np.testing.assert_allclose(bounded, [2 / 3] * 15 + [2.0] * 5, rtol=1e-6)


def test_projections_are_the_nearest_weights() -> None:
  weights = jnp.array([-1.0, 0.5, 3.0])
  np.testing.assert_allclose(projected(weights, 2.0, 0.5), [0, 0.5, 2], atol=1e-6)
  # The mean must be 1: the last is at its bound, and the others are moved alike.
  np.testing.assert_allclose(projected(weights, 2.0, 0.0), [0, 1, 2], atol=1e-6)
  np.testing.assert_allclose(projected(weights + 9, 9.0, 0.0), [0, 0.25, 2.75], atol=1e-5)


def test_the_likeliest_ratio_is_that_of_counts() -> None:
  with jax.enable_x64(True):
    source, target = kernels()
    np.testing.assert_allclose(source @ kliep.ratio(source, target, np.arange(20) < 19, 50), FEWER)


def test_the_least_squares_ratio_is_shrunk() -> None:
  with jax.enable_x64(True):
    source, target = kernels()
    every = np.ones(20, bool), np.ones(20, bool)
    found = ulsif.ratio(source, target, *every, 0.25)
    # The first of the source and the last of the target are held out of one fold, none of others.
    one = np.arange(density_ratio.FOLDS)[:, None] == 0
    held = one & (np.arange(20) == 0), one & (np.arange(20) == 19)
    error = ulsif.held_out_error(source, target, *held, 0.25)
  # (5 * 3/4 + 1/4) a = 1/4 for each of five at 0, (15 * 1/4 + 1/4) b = 3/4 for fifteen at 100.
  np.testing.assert_allclose(found, [1 / 16] * 5 + [3 / 16] * 15, rtol=1e-9)
  # The same with 14 and 5 of 19 of the source, and 5 and 14 of 19 of the target.
  near, far = (5 / 19) / (5 * 14 / 19 + 1 / 4), (14 / 19) / (15 * 5 / 19 + 1 / 4)
  np.testing.assert_allclose(error, (5 * near) ** 2 / 2 - 15 * far, rtol=1e-9)


@pytest.mark.parametrize('method', METHODS, ids=lambda x: type(x).__name__)
def test_every_estimate_finds_the_ratio_of_counts(method: KMM | KLIEP | ULSIF) -> None:
  """More than half of the distances are 0, so that kernels have the width 1."""
  with jax.enable_x64(True):
    arrays = map(jnp.asarray, (SOURCE, np.arange(20) % 2, TARGET, TARGET))
    found = method.weights(Problem(*arrays, classes=2))
  np.testing.assert_allclose(found, RATIO, rtol=0.01)


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
