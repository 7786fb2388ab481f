import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.references import transferability as references
from tlda.errors import UserError
from tlda.evaluation import transferability
from tlda.evaluation.transferability import SCORES

Problem = tuple[np.ndarray, np.ndarray]


def _problem(needs: str, seed: int = 0, examples: int = 24, width: int = 5) -> Problem:
  """Draws the inputs of a score, related to the labels."""
  rng = np.random.default_rng(seed)
  labels = np.concatenate([np.arange(3), np.arange(3), rng.integers(0, 3, examples - 6)])
  features = rng.normal(size=(examples, width)) + rng.normal(size=(3, width))[labels]
  exponential = np.exp(features)
  return {
    'features': features,
    'source_probabilities': exponential / exponential.sum(1, keepdims=True),
    'source_labels': features.argmax(1),
  }[needs], labels


CASES = [
  ('log_me', 'features', {}),
  ('leep', 'source_probabilities', {}),
  ('nce', 'source_labels', {}),
  ('h_score', 'features', {}),
  ('h_score', 'features', {'shrinkage': True}),
  ('trans_rate', 'features', {}),
  ('trans_rate', 'features', {'distortion': 0.3}),
  ('knn_accuracy', 'features', {}),
  ('knn_accuracy', 'features', {'neighbours': 1}),
  ('knn_accuracy', 'features', {'neighbours': 4, 'metric': 'euclidean'}),
]
each_case = pytest.mark.parametrize(('name', 'needs', 'settings'), CASES)
each_score = pytest.mark.parametrize('name', transferability.names())
# Fewer dimensions than examples, more, and fewer than classes.
WIDTHS = (5, 40, 2)


@each_case
@pytest.mark.parametrize('width', WIDTHS)
def test_reference(name: str, needs: str, settings: dict[str, Any], width: int) -> None:
  for seed in range(2):
    inputs, labels = _problem(needs, seed, width=width)
    found = getattr(transferability, name)(inputs, labels, **settings)
    assert isinstance(found, float)
    expected = getattr(references, name)(inputs, labels, **settings)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


@each_score
def test_neither_order_nor_names_of_classes_matter(name: str) -> None:
  inputs, labels = _problem(SCORES[name].needs, seed=3)
  found = SCORES[name].function(inputs, labels)
  order = np.random.default_rng(0).permutation(len(labels))
  again = SCORES[name].function(inputs[order], np.array([70, -4, 9])[labels[order]])
  assert again == pytest.approx(found, rel=1e-9)


@each_score
def test_better_inputs_score_higher(name: str) -> None:
  """Features that follow the labels, against the same ones with labels dealt anew."""
  inputs, labels = _problem(SCORES[name].needs, seed=4, examples=200)
  shuffled = np.random.default_rng(0).permutation(labels)
  score = SCORES[name].function
  assert score(inputs, labels) > score(inputs, shuffled)


@each_score
def test_degenerate_features_are_finite(name: str) -> None:
  needs, score = SCORES[name].needs, SCORES[name].function
  for width in (1, 6):
    inputs = np.ones((6, width)) / width if needs != 'source_labels' else np.zeros(6, int)
    assert math.isfinite(score(inputs, np.array([0, 1, 2, 0, 1, 2])))
  if needs == 'features':
    assert math.isfinite(score(np.zeros((6, 4)), np.array([0, 1, 2, 0, 1, 2])))


@pytest.mark.parametrize('name', ['h_score', 'h_score_shrunken', 'trans_rate'])
def test_a_constant_column_changes_nothing(name: str) -> None:
  features, labels = _problem('features')
  wider = np.hstack([features, np.full((len(labels), 1), 3.7)])
  score = SCORES[name].function
  same = name != 'h_score_shrunken'  # whose mean variance is over one dimension more
  assert (score(wider, labels) == pytest.approx(score(features, labels), rel=1e-6)) == same


def test_log_me_by_hand() -> None:
  # Features of zeros leave noise alone: y ~ N(0, I / beta), the greatest density of which has
  # 1 / beta = |y|^2 / n = 1 / 2 for either class.
  expected = -0.5 * (math.log(2 * math.pi * 0.5) + 1)
  found = transferability.log_me(np.zeros((4, 3)), np.array([0, 1, 0, 1]))
  assert found == pytest.approx(expected)


def test_log_me_holds_the_noise_where_features_fit_exactly() -> None:
  # Indicators of two classes of 2: F F' has the eigenvalues 2, 2, 0, 0. The target's part is 1 in
  # each direction of its own class. For it, variances are 2 / alpha + v, 2 / alpha + v, v, v with
  # v = 1e-6; its square 2 lies in the first: -log(2 / alpha + v) - 1 / (2 / alpha + v) is greatest
  # at 2 / alpha + v = 1 (two directions of equal variance s: -log s - 2 / (2 s)).
  labels = np.array([0, 1, 0, 1])
  expected = -0.5 * (4 * math.log(2 * math.pi) + 2 * math.log(1e-6) + 2 * math.log(1.0) + 2) / 4
  found = transferability.log_me(np.eye(2)[labels], labels)
  assert found == pytest.approx(expected, rel=1e-5)


def test_leep_by_hand() -> None:
  labels = np.array([0, 0, 1, 1])
  # The source tells nothing: p(y | z) = 1/2. It tells all: the log of 1.
  assert transferability.leep(np.full((4, 3), 1 / 3), labels) == pytest.approx(-math.log(2))
  assert transferability.leep(np.eye(2)[labels], labels) == pytest.approx(0, abs=1e-12)
  # p(y=0 | z) = (.8 + .6) / (.8 + .6 + .1 + .5) = .7 for z = 0, and .6 / 2 = .3 for z = 1.
  given = np.array([[0.8, 0.2], [0.6, 0.4], [0.1, 0.9], [0.5, 0.5]])
  by_hand = [0.7 * 0.8 + 0.3 * 0.2, 0.7 * 0.6 + 0.3 * 0.4, 0.3 * 0.1 + 0.7 * 0.9, 0.5]
  assert transferability.leep(given, labels) == pytest.approx(np.log(by_hand).mean())


def test_nce_by_hand() -> None:
  labels = np.array([0, 0, 1, 1])
  assert transferability.nce(np.array([5, 5, 2, 2]), labels) == 0
  assert transferability.nce(np.array([7, 7, 7, 7]), labels) == pytest.approx(-math.log(2))
  # Three are taken for 0: of them two thirds are; one for 1, without error.
  expected = (2 * math.log(2 / 3) + math.log(1 / 3)) / 4
  assert transferability.nce(np.array([0, 0, 0, 1]), labels) == pytest.approx(expected)


def test_h_score_by_hand() -> None:
  labels = np.array([0, 1, 2] * 4)
  # All variance is between three classes: the rank of it.
  assert transferability.h_score(np.eye(3)[labels], labels) == pytest.approx(2)
  # One feature, class means 1 and -1, within each class +-1: 1 of a variance of 2.
  features = np.array([[2.0], [0.0], [0.0], [-2.0]])
  assert transferability.h_score(features, np.array([0, 0, 1, 1])) == pytest.approx(0.5)
  # Means that agree.
  assert transferability.h_score(features, np.array([0, 1, 1, 0])) == pytest.approx(0)
  # As many dimensions as examples tell any labels.
  noise = np.random.default_rng(0).normal(size=(12, 30))
  assert transferability.h_score(noise, labels) == pytest.approx(2)
  assert transferability.h_score(noise, labels, shrinkage=True) < 1.5


def test_trans_rate_by_hand() -> None:
  # Second moments about the common centre: all 2, class 0 (2, 0) 2, class 1 (0, -2) 2.
  features = np.array([[2.0], [0.0], [0.0], [-2.0]])
  labels = np.array([0, 0, 1, 1])
  assert transferability.trans_rate(features, labels) == pytest.approx(0, abs=1e-12)
  # Class 0 is (2, -2) with 4, class 1 (0, 0) with 0.
  expected = 0.5 * math.log1p(2 / 0.5) - 0.25 * math.log1p(4 / 0.5)
  mixed = transferability.trans_rate(features, np.array([0, 1, 1, 0]), distortion=0.5)
  assert mixed == pytest.approx(expected)


def test_knn_accuracy_by_hand() -> None:
  features = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 5.0], [9.0, 0.2]])
  labels = np.array([0, 0, 1, 1, 1])
  # By direction the last lies between both zeros and is the nearest of each: three are wrong.
  assert transferability.knn_accuracy(features, labels, neighbours=1) == pytest.approx(2 / 5)
  euclidean = transferability.knn_accuracy(features, labels, neighbours=1, metric='euclidean')
  # Nearest of (0, 1) is (1, 0.1) at 1.35, and of (0.1, 5) it is (0, 1); of (9, 0.2), (1, 0.1).
  assert euclidean == pytest.approx(3 / 5)


def test_many_examples_are_taken_in_turns() -> None:
  rng = np.random.default_rng(0)
  labels = np.arange(1100) % 4
  features = np.eye(4)[labels] + 0.01 * rng.normal(size=(1100, 4))
  assert transferability.knn_accuracy(features, labels) == 1


def test_measure_computes_what_the_inputs_allow() -> None:
  features, labels = _problem('features')
  given, _ = _problem('source_probabilities')
  all_scores = transferability.measure(labels, features, given)
  assert sorted(all_scores) == transferability.names()
  assert all_scores['nce'] == pytest.approx(references.nce(given.argmax(1), labels))
  few = transferability.measure(labels, features)
  assert set(all_scores) - set(few) == {'leep', 'nce'}
  assert all(all_scores[name] == few[name] for name in few)


def _refused(call: Callable[[], Any], sentence: str) -> None:
  with pytest.raises(UserError, match=sentence):
    call()


def test_of_one_example_of_a_class_there_are_no_neighbours() -> None:
  features, labels = _problem('features')
  lonely = np.where(labels == 0, 1, labels)
  lonely[0] = 0
  assert transferability.measure(labels, features).keys() - transferability.measure(
    lonely, features
  ).keys() == {'knn_accuracy'}


@each_score
def test_refusals_of_every_score(name: str) -> None:
  inputs, labels = _problem(SCORES[name].needs)
  score = SCORES[name].function
  _refused(lambda: score(inputs, np.zeros_like(labels)), 'at least 2 classes')
  _refused(lambda: score(inputs[1:], labels), 'there are 23 .* and 24 labels')
  _refused(lambda: score(inputs[:0], labels[:0]), 'there are no')
  _refused(lambda: score(inputs, labels.astype(float)), 'float64 of shape')
  if SCORES[name].needs != 'source_labels':
    broken = inputs.copy()
    broken[3, 1] = np.nan
    _refused(lambda: score(broken, labels), 'not finite')
    _refused(lambda: score(inputs[:, 0], labels), r'not \[examples, d\]')


def test_refusals_of_single_scores() -> None:
  features, labels = _problem('features')
  _refused(lambda: transferability.leep(features, labels), 'negative or do not sum to 1')
  _refused(lambda: transferability.trans_rate(features, labels, distortion=0), 'positive')
  knn = transferability.knn_accuracy
  _refused(lambda: knn(features, labels, neighbours=24), '24 neighbours cannot be had of 23')
  _refused(lambda: knn(features, labels, metric='cosin'), "did you mean 'cosine'")
  _refused(lambda: knn(features[:3], np.array([0, 0, 1])), 'at least 2 examples, and one has 1')
