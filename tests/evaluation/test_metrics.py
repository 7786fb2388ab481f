import jax
import numpy as np
import pytest

from tlda import evaluation


def test_accuracy_counts_what_the_mask_lets_through() -> None:
  total, count = evaluation.accuracy([0, 1, 2, 2], [0, 1, 1, 2], mask=[1, 1, 1, 0])
  assert (float(total), float(count)) == (2, 3)


def test_accuracy_without_a_mask_counts_all() -> None:
  total, count = jax.jit(evaluation.accuracy)(np.array([0, 1, 2, 2]), np.array([0, 1, 1, 2]))
  assert (float(total), float(count)) == (3, 4)


def test_a_padded_last_batch_counts_right() -> None:
  full = evaluation.accuracy([0, 0, 0, 0], [0, 0, 0, 1])
  padded = evaluation.accuracy([0, 0, 0, 0], [1, 0, 0, 0], mask=[1, 0, 0, 0])
  assert evaluation.mean([full, padded]) == 3 / 5


def test_the_mean_of_nothing_is_an_error() -> None:
  with pytest.raises(ZeroDivisionError):
    evaluation.mean([(0.0, 0)])


def test_mean_and_sample_standard_deviation() -> None:
  mean, std = evaluation.mean_and_std([0.5, 0.7, 0.9])
  assert mean == pytest.approx(0.7)
  assert std == pytest.approx(0.2)  # sqrt((0.04 + 0 + 0.04) / 2)


def test_one_seed_has_no_spread() -> None:
  assert evaluation.mean_and_std([0.25]) == (0.25, None)


def test_confusion_matrix_has_a_row_for_each_true_class() -> None:
  matrix = evaluation.confusion_matrix([0, 0, 1, 2, 2, 2], [0, 1, 1, 0, 2, 2], classes=4)
  assert matrix.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 2, 0], [0, 0, 0, 0]]
  assert np.issubdtype(matrix.dtype, np.integer)


@pytest.mark.parametrize(
  ('labels', 'predictions'), [([0, 3], [0, 0]), ([0, 1], [0, -1]), ([0, 1, 2], [0, 1])]
)
def test_confusion_matrix_refuses_what_is_no_class(
  labels: list[int], predictions: list[int]
) -> None:
  with pytest.raises(ValueError, match='labels'):
    evaluation.confusion_matrix(labels, predictions, classes=3)
