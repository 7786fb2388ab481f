import itertools
from collections.abc import Callable

import numpy as np
import pytest

from tlda.evaluation import divergences
from tlda.evaluation.divergences import (
  joint_error,
  maximum_mean_discrepancy,
  proxy_a_distance,
  sliced_wasserstein,
)
from tlda.evaluation.divergences.ridge import ridge


def _normal(seed: int, rows: int, shift: float = 0.0) -> np.ndarray:
  return (np.random.default_rng(seed).normal(size=(rows, 16)) + shift).astype(np.float32)


def test_identical_distributions_are_near() -> None:
  assert proxy_a_distance(_normal(0, 500), _normal(1, 500)) < 0.25


def test_separated_distributions_are_two_apart() -> None:
  assert proxy_a_distance(_normal(0, 200), _normal(1, 200, shift=3)) > 1.95


def test_distance_grows_with_the_shift() -> None:
  source = _normal(0, 400)
  distances = [proxy_a_distance(source, _normal(1, 400, shift)) for shift in (0.1, 0.3, 0.6)]
  assert distances == sorted(distances)


def test_unequal_sizes_are_no_distance() -> None:
  assert proxy_a_distance(_normal(0, 500), _normal(1, 60)) < 0.6


def test_more_features_than_examples_and_constant_features() -> None:
  features = np.zeros((40, 300), np.float32)
  assert proxy_a_distance(features, features) == 0
  features[:, 7] = 1
  assert proxy_a_distance(np.zeros((40, 300)), features) == 2


def test_known_error_gives_the_formula() -> None:
  # One feature, 1 for all of the source and for a quarter of the target: error (0 + 1/4) / 2.
  source, target = np.ones((400, 1)), np.tile([[1.0], [0.0], [0.0], [0.0]], (100, 1))
  assert proxy_a_distance(source, target) == pytest.approx(2 * (1 - 2 / 8), abs=0.15)


def test_same_seed_same_number() -> None:
  source, target = _normal(0, 80), _normal(1, 80, shift=0.2)
  assert proxy_a_distance(source, target, seed=3) == proxy_a_distance(source, target, seed=3)
  assert 0 <= proxy_a_distance(source, target, seed=4) <= 2


@pytest.mark.parametrize(
  ('source', 'target'),
  [
    (np.zeros((3, 2)), np.zeros((9, 2))),
    (np.zeros((9, 2)), np.zeros((9, 3))),
    (np.full((9, 2), np.nan), np.zeros((9, 2))),
  ],
)
def test_refuses_what_cannot_be_measured(source: np.ndarray, target: np.ndarray) -> None:
  with pytest.raises(ValueError):
    proxy_a_distance(source, target)


def test_discrepancy_by_the_formula() -> None:
  """Lemma 6 of Gretton et al.: means over unlike pairs within, less twice the mean between."""
  source, target = _normal(0, 7)[:, :3], _normal(1, 5, shift=0.5)[:, :3]
  rows = np.concatenate([source, target]).astype(np.float64)
  rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
  squares = lambda x, y: sum((a - b) ** 2 for a, b in zip(x, y, strict=True))
  median = np.median([squares(x, y) for x, y in itertools.combinations(rows, 2)])

  def kernel(x: np.ndarray, y: np.ndarray) -> float:
    widths = [median * size for size in (0.25, 0.5, 1, 2, 4)]
    return np.mean([np.exp(-squares(x, y) / (2 * width)) for width in widths])

  x, y = rows[:7], rows[7:]
  within = [np.mean([kernel(*pair) for pair in itertools.combinations(z, 2)]) for z in (x, y)]
  expected = sum(within) - 2 * np.mean([kernel(a, b) for a in x for b in y])
  assert maximum_mean_discrepancy(source, target).squared == pytest.approx(expected, abs=1e-9)


def test_discrepancy_is_tested_by_dealing_the_rows() -> None:
  far = maximum_mean_discrepancy(_normal(0, 60), _normal(1, 40, shift=1))
  assert far.p_value == 1 / 1000
  # Of equal distributions p is uniform: the mean of twenty is .5, with a deviation of .065.
  chances = [
    maximum_mean_discrepancy(_normal(2 * k, 30), _normal(2 * k + 1, 20), permutations=99).p_value
    for k in range(20)
  ]
  assert 0.3 < np.mean(chances) < 0.7
  same = maximum_mean_discrepancy(np.ones((5, 2)), np.ones((4, 2)))
  assert same == (0, 1)


def test_transport_of_a_shift_is_its_length() -> None:
  """Two points, 0 and 2, and the same moved by 4: the deviation of 0 2 4 6 is sqrt 5."""
  source = np.array([[0.0], [2.0]])
  assert sliced_wasserstein(source, source + 4) == pytest.approx(4 / 5**0.5)
  # Many features with the same shift: a mean over directions, near that of one of them.
  wide = [np.repeat(x, 2000, axis=1) for x in (source, source + 4)]
  assert sliced_wasserstein(*wide) == pytest.approx(4 / 5**0.5, rel=0.15)
  assert sliced_wasserstein(source, source) == 0


def test_transport_of_unequal_samples_by_hand() -> None:
  """From 0 0 3 to 1 1: each sixth has the gaps 1 1 and -2. The squares are 1 1 4, the mean 2."""
  source, target = np.array([[0.0], [0.0], [3.0]]), np.array([[1.0], [1.0]])
  deviation = np.std([0, 0, 3, 1, 1])
  assert sliced_wasserstein(source, target) == pytest.approx(2**0.5 / deviation)
  # From 0 0 3 to 0 3: quantiles differ between the half and two thirds, by 3.
  target = np.array([[3.0], [0.0]])
  expected = (9 / 6) ** 0.5 / np.std([0, 0, 3, 3, 0])
  assert sliced_wasserstein(source, target) == pytest.approx(expected)


def test_joint_error_of_what_can_be_told_and_of_what_cannot() -> None:
  labels = np.tile([0, 3], 40)
  features = 4.0 * (labels > 0)[:, None] + _normal(0, 80)[:, :2]
  assert joint_error(features, labels, features + 1, labels) < 0.1
  # The classes have changed places: what is right in one domain is wrong in the other.
  assert joint_error(features, labels, features, 3 - labels) == pytest.approx(1, abs=0.1)
  # A single class in a single place.
  assert joint_error(np.zeros((8, 2)), np.ones(8, int), np.zeros((8, 2)), np.ones(8, int)) == 0


def test_joint_error_is_of_ridge_regression_with_the_best_strength() -> None:
  """Leaving each row out and solving the normal equations anew, for each strength."""
  x, y = _normal(0, 12)[:, :5].astype(np.float64), np.eye(3)[np.arange(12) % 3]
  x -= x.mean(axis=0)
  scale = np.sum(x**2) / 12

  def fitted(x: np.ndarray, y: np.ndarray, strength: float, at: np.ndarray) -> np.ndarray:
    centered = x - x.mean(axis=0)
    penalized = centered.T @ centered + strength * scale * np.eye(5)
    solved = np.linalg.solve(penalized, centered.T @ (y - y.mean(axis=0)))
    return (at - x.mean(axis=0)) @ solved + y.mean(axis=0)

  def left_out(strength: float) -> float:
    rows = range(12)
    others = [np.delete(np.arange(12), row) for row in rows]
    told = [fitted(x[own], y[own], strength, x[row]) for row, own in zip(rows, others, strict=True)]
    return float(np.mean((y - told) ** 2))

  best = min(10.0 ** np.arange(-3, 4), key=left_out)
  assert 1e-3 < best < 1e3
  weights, offset = ridge(x @ x.T, y)
  np.testing.assert_allclose(x @ x.T @ weights + offset, fitted(x, y, best, x), atol=1e-9)


def _joint_error(source: np.ndarray, target: np.ndarray) -> float:
  return joint_error(source, np.zeros(len(source)), target, np.zeros(len(target)))


@pytest.mark.parametrize('measure', [maximum_mean_discrepancy, sliced_wasserstein, _joint_error])
@pytest.mark.parametrize(
  ('source', 'target'),
  [
    (np.zeros((1, 2)), np.zeros((9, 2))),
    (np.zeros((9, 2)), np.zeros((9, 3))),
    (np.full((9, 2), np.nan), np.zeros((9, 2))),
  ],
)
def test_what_has_no_distance(measure: Callable, source: np.ndarray, target: np.ndarray) -> None:
  with pytest.raises(ValueError):
    measure(source, target)


def test_a_bound_is_the_sum_of_its_terms() -> None:
  found = divergences.error_bound(0.1, 0.8, 0.05, 0.4)
  assert found.bound == pytest.approx(0.1 + 0.4 + 0.05)
  assert (found.divergence, found.target_error) == (0.4, 0.4)
