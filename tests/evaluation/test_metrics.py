"""Numbers over seeds, by hand."""

import pytest

from tlda import evaluation


def test_mean_and_sample_standard_deviation() -> None:
  mean, std = evaluation.mean_and_std([0.5, 0.7, 0.9])
  assert mean == pytest.approx(0.7)
  assert std == pytest.approx(0.2)  # sqrt((0.04 + 0 + 0.04) / 2)


def test_one_seed_has_no_spread() -> None:
  assert evaluation.mean_and_std([0.25]) == (0.25, None)
