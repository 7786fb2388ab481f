"""The sign-flip test against counts by hand, and Holm's correction."""

import itertools

import numpy as np
import pytest

from tlda.evaluation.paired import holm, sign_flip


@pytest.mark.parametrize(
  ('differences', 'p'),
  [
    ([0.01], 1.0),  # Both signs are as far from 0.
    ([0.01, 0.02, 0.03], 2 / 8),  # Only all plus and all minus.
    ([0.01, 0.01, 0.01, -0.01], 10 / 16),  # Of the sums 4 2 0 -2 -4: those but the six zeros.
    ([0.03, 0.02, -0.01], 4 / 8),  # 4 is reached by 6 and 4, on both sides.
    ([0.0, 0.0], 1.0),
    ([0.0, 0.02, 0.02, 0.02], 2 / 8),
    ([0.01] * 60, 2 / 2**60),
  ],
)
def test_sign_flips_by_hand(differences: list[float], p: float) -> None:
  assert sign_flip(differences) == pytest.approx(p, rel=1e-9)
  assert sign_flip([-x for x in differences]) == pytest.approx(p, rel=1e-9)


def test_sign_flips_by_trying_them_all() -> None:
  values = np.random.default_rng(0).normal(0.003, 0.02, 9).round(4)
  sums = [np.dot(signs, values) for signs in itertools.product((-1, 1), repeat=9)]
  expected = np.mean(np.abs(sums) >= abs(values.sum()) - 1e-9)
  assert sign_flip(values.tolist()) == pytest.approx(expected)
  assert 0.05 < expected < 0.95


@pytest.mark.parametrize(
  ('examples', 'counts'),
  [
    (958, [2, -1, -1, 0, 3, -1, 2, 3, 2, 2, 0, 2]),
    (7438, [2, -1, -1, 0, 2, 2, 2, 2, 2, 0, 2, 3]),
    (795, [1, 2, -1, 3, 1, -2]),
  ],
)
def test_sums_of_examples_tie_where_they_are_equal(examples: int, counts: list[int]) -> None:
  """Accuracies are multiples of 1 / examples, which no decimal step divides."""
  sums = [np.dot(signs, counts) for signs in itertools.product((-1, 1), repeat=len(counts))]
  expected = np.mean(np.abs(sums) >= abs(sum(counts)))
  accuracies = np.float32(0.5) + np.float32(counts) / np.float32(examples) - np.float32(0.5)
  assert sign_flip(accuracies.tolist()) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize('differences', [[], [float('nan')]])
def test_what_cannot_be_tested(differences: list[float]) -> None:
  with pytest.raises(ValueError, match='needs differences'):
    sign_flip(differences)


def test_holm_by_hand() -> None:
  """Sorted .01 .02 .03 .04 times 4 3 2 1: .04 .06 .06 .04, never less than before."""
  assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
  assert holm([0.5, 0.9]) == [1, 1]
  assert holm([0.03]) == [0.03]
