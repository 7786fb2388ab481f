"""The forest plot says where means, intervals and published numbers lie."""

import re
import xml.etree.ElementTree
from typing import Any

import pytest

from tests.report.test_layouts import entry
from tlda.report import forest
from tlda.report.palette import RUNS


def row(method: str, mean: float, value: float | None, **more: Any) -> dict[str, Any]:
  published = None if value is None else {'value': value, 'reference': 'r'}
  return entry(method, 'a', 'last', mean, published=published, **more)


def places(drawn: str, mark: str) -> list[tuple[float, float]]:
  return [(float(x), float(y)) for x, y in re.findall(mark, drawn)]


def test_intervals_by_hand() -> None:
  """The 97.5 % quantile of Student's t of 2 degrees of freedom is 4.302653; 1 / sqrt 3."""
  half = 4.302653 / 3**0.5
  assert forest.interval(row('m', 0.5, 0.6)) == pytest.approx((50 - half, 50 + half))
  assert forest.interval(row('m', 0.999, 0.6)) == pytest.approx((99.9 - half, 100))
  single = row('m', 0.5, 0.6, seeds=[0], target_test_std=None)
  assert forest.interval(single) == pytest.approx((50, 50))


def test_marks_lie_on_one_scale() -> None:
  drawn = forest.draw([row('m', 0.5, 0.6), row('n', 0.6, 0.7), row('none', 0.1, None)])
  root = xml.etree.ElementTree.fromstring(drawn)
  means = places(drawn, rf'cx="([\d.]+)" cy="([\d.]+)" r="3.5" fill="{RUNS[0]}"')
  diamonds = places(drawn, r'd="M([\d.]+) ([\d.]+)l5')[1:]  # The first is the legend's.
  ticks = dict(re.findall(r'x="([\d.]+)" y="[\d.]+" text-anchor="middle" [^>]*>(\d+)%', drawn))
  (low, first), (high, last) = list(ticks.items())[0], list(ticks.items())[-1]
  at = lambda x: (
    float(first) + (x - float(low)) / (float(high) - float(low)) * (float(last) - float(first))
  )
  legend, *measured = means
  assert legend[1] < measured[0][1] < measured[1][1]
  assert [at(x) for x, _ in measured] == pytest.approx([50, 60], abs=0.1)
  assert [at(x) for x, _ in diamonds] == pytest.approx([60, 70], abs=0.1)
  texts = [each.text for each in root.iter() if each.tag.endswith('text')]
  assert [text for text in texts if text.startswith(('+', '−'))] == ['−10.00', '−10.00']
  assert 'a → t, none' not in texts


def test_nothing_published_nothing_drawn() -> None:
  assert forest.draw([row('m', 0.5, None)]) == ''


def test_only_the_first_rule_is_drawn_and_names_are_escaped() -> None:
  rows = [row('<m>', 0.5, 0.6), {**row('<m>', 0.7, 0.6), 'selection': 'oracle'}]
  drawn = forest.draw(rows)
  assert drawn.count('a → t, &lt;m&gt;') == 1
  assert '+10.00' not in drawn


def test_equal_numbers_have_a_scale() -> None:
  drawn = forest.draw([row('m', 1.0, 1.0, seeds=[0], target_test_std=None)])
  assert 'nan' not in drawn
  assert '>99%<' in drawn
  assert '>101%<' not in drawn
