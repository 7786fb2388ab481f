"""What every shallow baseline must satisfy; a new one is covered by its export."""

import dataclasses
import re
import sys

import numpy as np
import pytest

from tlda import shallow
from tlda.errors import UserError

each = pytest.mark.parametrize('name', shallow.names())
# Settings that fit a problem of few examples, and take no time.
SMALL = {'dimension': 2, 'iterations': 3, 'neighbours': 4, 'kernels': 6, 'c': 1.0}
CLASSES, FEATURES = 3, 5


def build(name: str) -> shallow.Shallow:
  kind = shallow.get(name)
  own = {field.name for field in dataclasses.fields(kind)}
  return kind(**{field: value for field, value in SMALL.items() if field in own})


def blobs(examples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
  """Draws three classes far apart, that differ between seeds by a little noise."""
  rng = np.random.default_rng(seed)
  labels = np.arange(examples) % CLASSES
  centers = 4 * np.eye(CLASSES, FEATURES)
  return centers[labels] + 0.3 * rng.normal(size=(examples, FEATURES)), labels


SOURCE, LABELS = blobs(18, 0)
TARGET, TRUTH = blobs(12, 1)


@each
def test_far_classes_are_told_apart_in_any_order(name: str) -> None:
  method = build(name)
  scores = method.predict(SOURCE, LABELS, TARGET)
  assert scores.shape == (12, CLASSES)
  np.testing.assert_array_equal(scores.argmax(1), TRUTH)
  rng = np.random.default_rng(2)
  source, target = rng.permutation(18), rng.permutation(12)
  again = method.predict(SOURCE[source], LABELS[source], TARGET[target])
  np.testing.assert_array_equal(again.argmax(1), TRUTH[target])
  # Machines stop at a tolerance of their own.
  if not any(field.name == 'c' for field in dataclasses.fields(method)):
    np.testing.assert_allclose(again, scores[target], rtol=1e-6, atol=1e-6)


@each
def test_answers_to_others_matter_only_where_it_says_so(name: str) -> None:
  method = build(name)
  others = TARGET.copy()
  others[6:] = 3 * others[:6] + 1
  first, second = (method.predict(SOURCE, LABELS, TARGET, x) for x in (TARGET, others))
  assert np.allclose(first[:6], second[:6], rtol=1e-9) or method.transductive


@each
def test_constant_features_give_finite_answers(name: str) -> None:
  for value in (0.0, 1.0):
    source, target = (np.full((n, FEATURES), value) for n in (18, 12))
    assert np.isfinite(build(name).predict(source, LABELS, target)).all()


@each
def test_classes_without_an_example_are_never_predicted(name: str) -> None:
  scores = build(name).predict(SOURCE, 2 * LABELS + 1, TARGET)
  np.testing.assert_array_equal(scores.argmax(1), 2 * TRUTH + 1)
  assert (scores[:, ::2] == -np.inf).all()


@each
def test_the_paper_and_every_setting_are_said(name: str) -> None:
  kind = shallow.get(name)
  paper = r'\b(19|20)\d\d\)'
  assert re.search(paper, sys.modules[kind.__module__].__doc__)
  assert re.search(paper, kind.__doc__.partition('\n')[0])
  for field in dataclasses.fields(kind):
    documented = ''.join(cls.__doc__ for cls in kind.__mro__ if issubclass(cls, shallow.Shallow))
    assert re.search(rf'^ +{field.name}: ', documented, re.MULTILINE)
    assert type(field.default) in (int, float, str)


BROKEN = [
  ((SOURCE[:, :4], LABELS, TARGET), 'numbers of features: 4 in the source, 5 in the target'),
  ((SOURCE, 0 * LABELS, TARGET), 'all source examples are of one class'),
  ((SOURCE, LABELS[:9], TARGET), 'one class, 0 or above, for each of 18 source examples'),
  ((SOURCE, LABELS - 1, TARGET), 'one class, 0 or above'),
  ((SOURCE, LABELS / 1, TARGET), 'one class, 0 or above'),
  ((SOURCE, LABELS, np.full_like(TARGET, np.nan)), 'the target holds numbers that are not finite'),
  ((SOURCE, LABELS, TARGET[:0]), 'the target must be vectors'),
  ((SOURCE[:, :, None], LABELS, TARGET), 'the source must be vectors'),
]


@pytest.mark.parametrize(('arrays', 'sentence'), BROKEN, ids=lambda x: x[:9] if x is str else '')
def test_arrays_that_do_not_fit_are_one_sentence(arrays: tuple, sentence: str) -> None:
  with pytest.raises(UserError, match=sentence):
    shallow.NearestNeighbour().predict(*arrays)


def _settings() -> list[tuple[str, str, float]]:
  """Returns a wrong value of each setting."""
  wrong = {'dimension': 99, 'kernel': 'cubic', 'neighbours': 99, 'c': -1.0}
  return [
    (name, field.name, wrong.get(field.name, 0))
    for name in shallow.names()
    for field in dataclasses.fields(shallow.get(name))
  ]


@pytest.mark.parametrize(('name', 'field', 'value'), _settings())
def test_settings_that_do_not_fit_are_one_sentence(name: str, field: str, value: float) -> None:
  with pytest.raises(UserError):
    dataclasses.replace(build(name), **{field: value}).predict(SOURCE, LABELS, TARGET)


def test_an_unknown_name_says_the_nearest() -> None:
  with pytest.raises(UserError, match="unknown shallow method 'jdaa': did you mean 'jda'"):
    shallow.get('jdaa')
