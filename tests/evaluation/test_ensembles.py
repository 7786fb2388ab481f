"""Numbers worked out by hand."""

import numpy as np
import pytest

from tlda.errors import UserError
from tlda.evaluation import ensembles

# Two members of one example: odds of 9 to 1, and of 1 to 4.
TWO = np.log(np.array([[[9.0, 1.0]], [[1.0, 4.0]]]))


def test_means_of_probabilities_and_of_logits() -> None:
  np.testing.assert_allclose(ensembles.combine(TWO), [[(0.9 + 0.2) / 2, (0.1 + 0.8) / 2]])
  odds = np.sqrt(9 * 1 / 4)
  expected = [[odds / (1 + odds), 1 / (1 + odds)]]
  np.testing.assert_allclose(ensembles.combine(TWO, 'logits'), expected)


def test_huge_logits_stay_finite() -> None:
  found = ensembles.combine(np.array([[[1e4, -1e4]], [[-1e4, 1e4]]]))
  np.testing.assert_allclose(found, [[0.5, 0.5]])


def test_an_unknown_combination_is_refused() -> None:
  with pytest.raises(UserError, match="unknown combination 'logit': did you mean 'logits'"):
    ensembles.combine(TWO, 'logit')


def test_three_that_err_apart_are_right_together() -> None:
  # Each is wrong, and less sure, of another one of three examples, all of class 0.
  logits = np.full((3, 3, 2), [2.0, 0.0])
  for member in range(3):
    logits[member, member] = [0.0, 1.0]
  labels = np.zeros(3, int)
  np.testing.assert_allclose(ensembles.accuracies(logits, labels), [2 / 3] * 3)
  assert (ensembles.combine(logits).argmax(axis=1) == labels).all()
  expected = (1 - np.eye(3)) * 2 / 3
  np.testing.assert_allclose(ensembles.disagreement(logits), expected)


def test_a_greedy_soup_takes_what_does_no_harm() -> None:
  # Members are numbers, the mean's score falls with its distance from 3.
  score = lambda some: -abs(np.mean(some) - 3)
  members = [9.0, 2.0, 4.0, 3.5]
  alone = [score([member]) for member in members]
  # From 3.5 on, means are 2.75 and 3.17, each nearer to 3 than the one before; with 9, 4.6.
  assert ensembles.greedy_soup(members, alone, score) == [3, 1, 2]
