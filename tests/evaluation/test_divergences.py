import numpy as np
import pytest

from tlda.evaluation import proxy_a_distance


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
