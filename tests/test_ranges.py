"""Ranges of hyper-parameters: what is drawn from them, and those that methods say."""

from typing import Annotated

import pytest

from experiments import flags
from tlda import methods, ranges
from tlda.errors import UserError
from tlda.ranges import Choice, LogUniform, Uniform


@pytest.mark.parametrize(
  ('text', 'share', 'whole', 'value'),
  [
    ('uniform:2:4', 0.25, False, 2.5),
    ('uniform:0:3', 0.99, True, 3),  # Each of 0, 1, 2, 3 has a quarter.
    ('uniform:0:3', 0.25, True, 1),
    ('log:0.01:1', 0.5, False, 0.1),
    ('log:1:3', 0.49, True, 1),  # 4^0.49 < 2.
    ('log:1:3', 0.999, True, 3),
    ('uniform:0:1', 0.123456, False, 0.1235),  # Four digits.
    ('choice:32,64', 0.5, True, '64'),
  ],
)
def test_what_is_drawn(text: str, share: float, whole: bool, value: object) -> None:
  each = ranges.parse(text)
  assert each.at(share, whole=whole) == (value if isinstance(value, str) else pytest.approx(value))
  assert str(each) == text


def test_rounding_does_not_leave_the_range() -> None:
  assert Uniform(0.0, 0.99996).at(0.9999999) == 0.99996
  assert LogUniform(0.12344, 1.0).at(0.0) == 0.12344


@pytest.mark.parametrize(
  ('text', 'sentence'),
  [
    ('uniform:1:1', 'uniform:1:1 is empty'),
    ('log:1:0.1', 'log:1:0.1 is empty'),
    ('log:0:1', 'begins above 0'),
    ('uniform:nan:1', 'is empty'),
    ('uniform:0:inf', 'is empty'),
    ('choice:', 'choice: is empty'),
    ('choice:,', 'choice: is empty'),
    ('normal:0:1', "'normal:0:1' is no range"),
    ('log:0.1', "'log:0.1' is no range"),
    ('log:a:b', "'log:a:b' is no range"),
    ('', "'' is no range"),
  ],
)
def test_mistakes_in_ranges(text: str, sentence: str) -> None:
  with pytest.raises(UserError, match=sentence):
    ranges.parse(text)


class Searched(methods.SourceOnly):
  weight: Annotated[float, LogUniform(0.1, 10)] = 1.0
  rounds: Annotated[int, Choice((1, 2))] = 1
  other: float = 0.0


class Fixed(Searched):
  weight: float = 2.0


def test_a_field_says_its_range_and_a_subclass_may_take_it_back() -> None:
  assert ranges.declared(Searched) == {'weight': LogUniform(0.1, 10), 'rounds': Choice((1, 2))}
  assert list(ranges.declared(Fixed)) == ['rounds']


@pytest.mark.parametrize('name', methods.names())
def test_the_default_of_a_method_lies_in_its_range(name: str) -> None:
  defaults = flags.fields(methods.get(name))
  for field, each in ranges.declared(methods.get(name)).items():
    value = defaults[field]
    if isinstance(each, Choice):
      assert value in each.values
      assert {type(value)} == set(map(type, each.values))
    else:
      assert isinstance(value, float)
      assert each.low <= value <= each.high


def test_the_main_methods_say_ranges() -> None:
  for name in ('dann', 'cdan_e', 'mcd', 'mcc', 'bnm', 'dan', 'deep_coral', 'mdd', 'jan', 'afn'):
    assert ranges.declared(methods.get(name)), name
