"""What every validator must satisfy, found by its name; and the value of each by its formula."""

import inspect
import math
from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from tlda.evaluation import validators
from tlda.evaluation.validators import VALIDATORS, VIEWS, WORST

# Three target examples of two classes, with probabilities that are easy by hand.
SURE, HALF, THIRD = [1.0, 0.0], [0.5, 0.5], [0.25, 0.75]
PROBABILITIES = np.array([SURE, HALF, THIRD])
LOGITS = np.log(PROBABILITIES.clip(1e-300))
# Of the source: the probabilities of the labels are 1/2, 1/4 and 1.
LABELS = np.array([1, 0, 0])
SOURCE_LOGITS = np.log(np.array([HALF, THIRD, SURE]).clip(1e-300))
LOSSES = np.log([2.0, 4.0, 1.0])


def entropy(row: list[float]) -> float:
  return -sum(p * math.log(p) for p in row if p > 0)


def nuclear_norm() -> float:
  """The singular values of two columns, by the roots of the characteristic polynomial."""
  (a, b), (_, d) = PROBABILITIES.T @ PROBABILITIES
  middle, distance = (a + d) / 2, math.sqrt(((a - d) / 2) ** 2 + b**2)
  return math.sqrt(middle + distance) + math.sqrt(middle - distance)


def neighbourhood_density() -> float:
  unit = [np.array(row) / math.hypot(*row) for row in PROBABILITIES]
  density = 0.0
  for own, first in enumerate(unit):
    likely = [math.exp(first @ other / 0.05) for place, other in enumerate(unit) if place != own]
    density += entropy([x / sum(likely) for x in likely]) / 3
  return density


def confusion() -> float:
  tempered = [
    [p ** (1 / 2.5) / sum(q ** (1 / 2.5) for q in row) for p in row] for row in PROBABILITIES
  ]
  weights = [1 + math.exp(-entropy(row)) for row in tempered]
  matrix = np.zeros((2, 2))
  for weight, row in zip(weights, tempered, strict=True):
    matrix += weight * np.outer(row, row)
  rows = matrix / matrix.sum(axis=1, keepdims=True)
  return (rows[0, 1] + rows[1, 0]) / 2


def correlation() -> float:
  matrix = sum(np.outer(row, row) for row in PROBABILITIES)
  return (matrix[0, 0] + matrix[1, 1]) / math.sqrt((matrix**2).sum()) / math.sqrt(2)


MEAN = [1.75 / 3, 1.25 / 3]
UNSURE = (entropy(SURE) + entropy(HALF) + entropy(THIRD)) / 3
WEIGHTS = np.array([0.5, 1.0, 3.0])
WEIGHTED = WEIGHTS * LOSSES
ETA = -np.cov(WEIGHTED, WEIGHTS)[0, 1] / np.var(WEIGHTS, ddof=1)


@pytest.mark.parametrize(
  ('name', 'arguments', 'expected'),
  [
    ('source_risk', (SOURCE_LOGITS, LABELS), -math.log(8) / 3),
    ('entropy', (LOGITS,), -UNSURE),
    ('diversity', (LOGITS,), entropy(MEAN)),
    ('information_maximization', (LOGITS,), entropy(MEAN) - UNSURE),
    ('snd', (LOGITS,), neighbourhood_density()),
    ('bnm', (LOGITS,), nuclear_norm() / 3),
    ('class_confusion', (LOGITS,), -confusion()),
    ('corr_c', (LOGITS,), correlation()),
    ('iwcv', (SOURCE_LOGITS, LABELS, WEIGHTS), -WEIGHTED.mean()),
    ('iwcv', (SOURCE_LOGITS, LABELS, np.ones(3)), -LOSSES.mean()),
    ('dev', (SOURCE_LOGITS, LABELS, WEIGHTS), -(WEIGHTED.mean() + ETA * (WEIGHTS.mean() - 1))),
    ('dev', (SOURCE_LOGITS, LABELS, np.full(3, 2.0)), -2 * LOSSES.mean()),
    # Four pairs: two of one class, of which one agrees, and two of two, of which both do.
    ('mixval', tuple(np.eye(2)[rows] for rows in ([0, 0, 1, 1], [0, 0, 0, 0], [0, 1, 1, 1])), 0.75),
    ('mixval', (np.eye(2)[[0, 0]],) * 3, 0.5),
    # Told apart without error; and one domain twice, where a machine does no better than chance.
    ('a_distance', (np.arange(40.0)[:, None], 100 + np.arange(40.0)[:, None]), -2),
    ('a_distance', (np.tile([[0.0], [1.0]], (50, 1)),) * 2, 0),
    # The way back learns a threshold between 1 and 9, the classes of its examples turned round.
    (
      'reverse_validation',
      ([[0.0], [2], [8], [10]], [1, 0, 0, 0], [[0.0], [1], [9], [10]], np.eye(2)[[1, 1, 0, 0]]),
      0.75,
    ),
    (
      'reverse_validation',
      (np.zeros((4, 1)), [1, 0, 1, 1], np.zeros((2, 1)), np.eye(2)[[1, 1]]),
      0.75,
    ),
  ],
)  # fmt: skip
def test_values(name: str, arguments: tuple, expected: float) -> None:
  assert VALIDATORS[name](*map(np.asarray, arguments)) == pytest.approx(expected, abs=1e-9)


def test_every_validator_has_a_value_worked_out() -> None:
  marks = test_values.pytestmark[0].args[1]  # type: ignore[attr-defined]
  assert {name for name, *_ in marks} == set(validators.names())


def test_the_ratio_of_two_densities_by_hand() -> None:
  """Normal features of means 0 and 1: the log-ratio at x is x - 1/2."""
  random = np.random.default_rng(0)
  source, target = random.normal(size=(1000, 1)), 1 + random.normal(size=(1000, 1))
  at = np.array([[-1.0], [0.5], [2.0]])
  found = np.log(validators.density_ratio(source, at, target))
  np.testing.assert_allclose(found, [-1.5, 0.0, 1.5], atol=0.2)
  # Where nothing tells the domains apart every weight is 1, however many examples each has.
  plain = validators.density_ratio(np.ones((40, 2)), np.ones((3, 2)), np.ones((15, 2)))
  np.testing.assert_allclose(plain, 1, atol=0.05)


def test_partners_are_of_the_class_that_is_wanted() -> None:
  predicted = np.random.default_rng(0).integers(0, 4, 50)
  found = validators.partners(predicted)
  same = predicted[found] == predicted
  assert (found != np.arange(50)).all()
  np.testing.assert_array_equal(same, np.arange(50) % 2 == 0)
  # One of a class of its own has none alike; where one class has more than half, some none apart.
  assert validators.partners(np.array([0, 1]))[0] == 1
  found = validators.partners(np.array([0, 0, 0, 0, 1]))
  assert (found != np.arange(5)).all()
  assert validators.partners(np.zeros(4, int)).tolist() == [1, 2, 3, 0]


class Only(Mapping[str, np.ndarray]):
  """Arrays, of which no other than those that are named may be looked at."""

  def __init__(self, arrays: Mapping[str, np.ndarray], allowed: frozenset[str]) -> None:
    self._arrays, self._allowed = arrays, allowed

  def __getitem__(self, name: str) -> np.ndarray:
    assert name in self._allowed, f'looked at {name}'
    return self._arrays[name]

  def __iter__(self) -> Iterator[str]:
    return iter(self._allowed)

  def __len__(self) -> int:
    return len(self._allowed)


def views(shuffle: bool = False) -> dict[str, np.ndarray]:
  """Returns what a network of 150 features and 3 classes might say, in one order or another."""
  random = np.random.default_rng(0)
  seen = {}
  for split, shift in (('source_train', 0.0), ('source_test', 0.0), ('target_train', 0.3)):
    features = random.normal(size=(60, 150)) + shift
    seen[f'{split}_features'] = features
    seen[f'{split}_logits'] = 2 * features[:, :3]
    seen[f'{split}_labels'] = random.integers(0, 3, 60)
  logits = seen['target_train_logits']
  partners = validators.partners(logits.argmax(1))
  seen['target_train_partner_logits'] = logits[partners]
  seen['target_train_mixed_logits'] = 0.55 * logits + 0.45 * logits[partners] + 0.2
  if shuffle:
    for split in ('source_train', 'source_test', 'target_train'):
      order = random.permutation(60)
      seen |= {name: array[order] for name, array in seen.items() if name.startswith(split)}
  return seen


@pytest.mark.parametrize('name', validators.names())
def test_each_sees_what_it_declares_and_the_order_does_not_matter(name: str) -> None:
  sees = validators.sees(name)
  assert sees <= VIEWS
  (score,) = validators.score_all([name], Only(views(), sees)).values()
  assert math.isfinite(score)
  assert score > WORST
  (other,) = validators.score_all([name], Only(views(shuffle=True), sees)).values()
  assert other == pytest.approx(score, rel=1e-6)


def test_there_is_no_name_for_a_label_of_the_target() -> None:
  assert [name for name in VIEWS if 'label' in name] == ['source_test_labels']
  assert {'target_train_logits'} <= VIEWS
  for name, function in VALIDATORS.items():
    hints = inspect.get_annotations(function)
    assert hints.pop('return') is float, name
    assert set(hints.values()) == {np.ndarray}, name


@pytest.mark.parametrize('name', validators.names())
def test_what_cannot_be_scored_is_the_worst(name: str) -> None:
  broken = {view: array.astype(np.float64) for view, array in views().items()}
  for array in broken.values():
    array[0] = np.nan
  assert validators.score_all([name], broken) == {name: WORST}


def test_too_few_examples_break_nothing() -> None:
  few = {view: array[:2] for view, array in views().items()}
  scores = validators.score_all(validators.names(), few)
  assert scores['a_distance'] == WORST
  assert all(math.isfinite(score) for score in scores.values())
