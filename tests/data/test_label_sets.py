"""Unequal label sets: which classes a flag names, and what is left of each side."""

import numpy as np
import pytest

from tlda.data import Domain, Split, label_sets
from tlda.errors import UserError

NAMES = ('ant', 'bee', 'cat', 'dog')


def domain(name: str, labels: list[int]) -> Domain:
  split = Split(np.arange(len(labels), dtype=np.float32)[:, None], np.array(labels, np.int32))
  return Domain(name, split, split, NAMES, 'none')


@pytest.mark.parametrize(
  ('text', 'classes'),
  [('', (0, 1, 2, 3)), ('0-2', (0, 1, 2)), ('dog, ant', (0, 3)), ('3,0-1', (0, 1, 3))],
)
def test_classes_by_name_and_number(text: str, classes: tuple[int, ...]) -> None:
  assert label_sets.parse(text, NAMES, '--source_classes') == classes


@pytest.mark.parametrize(
  ('text', 'sentence'),
  [
    ('cta', "did you mean 'cat'"),
    ('0-4', 'classes go from 0 to 3'),
    ('2-1', 'classes go from 0 to 3'),
    ('0-300000000', 'classes go from 0 to 3'),
    ('0-0000000001', 'unknown class of --source_classes'),
    ('1' * 5000, 'unknown class of --source_classes'),
    ('²', 'unknown class of --source_classes'),
    ('1-', 'unknown class of --source_classes'),
    (',', '--source_classes=, names no class'),
  ],
)
def test_no_such_class(text: str, sentence: str) -> None:
  with pytest.raises(UserError, match=sentence):
    label_sets.parse(text, NAMES, '--source_classes')


def test_classes_of_the_target_alone_are_unknown() -> None:
  (source,), target = label_sets.restrict(
    [domain('left', [0, 1, 2, 3, 3])], domain('right', [3, 2, 1, 0]), (1, 3), (0, 1, 3)
  )
  assert source.classes == ('bee', 'dog')
  assert target.classes == ('bee', 'dog', 'unknown')
  np.testing.assert_array_equal(source.train.labels, [0, 1, 1])
  np.testing.assert_array_equal(source.train.inputs[:, 0], [1, 3, 4])
  np.testing.assert_array_equal(target.test.labels, [1, 0, 2])
  np.testing.assert_array_equal(target.test.inputs[:, 0], [0, 2, 3])


def test_a_target_that_lacks_classes_keeps_the_sources_numbers() -> None:
  (source,), target = label_sets.restrict(
    [domain('left', [0, 1, 2])], domain('right', [0, 2]), (0, 1, 2), (2,)
  )
  assert source.classes == target.classes == ('ant', 'bee', 'cat')
  np.testing.assert_array_equal(target.train.labels, [2])


def test_sides_that_do_not_meet_or_hold_nothing_are_refused() -> None:
  sides = [domain('left', [0, 1])], domain('right', [0, 1])
  with pytest.raises(UserError, match='no class in common'):
    label_sets.restrict(*sides, (0,), (1,))
  with pytest.raises(UserError, match='right has no train example'):
    label_sets.restrict(*sides, (0, 2), (2,))
