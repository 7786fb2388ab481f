import json
from pathlib import Path
from typing import Any

import pytest

from scripts import compare_rules
from tlda.errors import UserError
from tlda.report import rules


def _result(protocol: str, chosen: dict[str, list[float]], **others: Any) -> dict[str, Any]:
  return {
    'experiment': 'e',
    'method': 'dann',
    'source': ['a'],
    'target': 'b',
    'protocol': protocol,
    'seeds': [0, 1],
    'steps': 5,
    'accuracy': {'source_test': [0.9, 0.9], 'target_test': chosen['last']},
    'selected': chosen,
    'rank_correlation': {'entropy': [0.5, None], 'snd': [-0.2, -0.4]},
    'config': {'commit': 'c' * 40},
    **others,
  }


RESULTS = [
  _result(
    'p', {'last': [0.5, 0.7], 'entropy': [0.6, 0.8], 'snd': [0.4, 0.2], 'oracle': [0.8, 0.8]}
  ),
  _result(
    'q', {'last': [0.9, 0.9], 'entropy': [0.8, 0.9], 'snd': [0.9, 0.9], 'oracle': [0.9, 0.9]}
  ),
]


def test_rules_are_judged_by_hand() -> None:
  older = _result('p', {'last': [0.0, 0.0], 'oracle': [1.0, 1.0]})
  judged = rules.judge([*RESULTS, older, {**older, 'rank_correlation': None}])
  assert judged['runs'] == {'p': 1, 'q': 1}
  assert judged['seeds'] == 4
  assert [row['rule'] for row in judged['rules']] == ['entropy', 'last', 'snd']
  entropy, last, snd = judged['rules']
  # Run p: .8 - .7, run q: .9 - .85.
  assert entropy['below_oracle'] == pytest.approx(0.075)
  assert entropy['above_last'] == pytest.approx((0.1 - 0.05) / 2)
  assert entropy['rank_correlation'] == pytest.approx(0.5)
  assert last == {
    'rule': 'last',
    'below_oracle': pytest.approx(0.1),
    'quartiles': pytest.approx([0.05, 0.15]),
    'above_last': 0.0,
    'rank_correlation': None,
  }
  assert snd['below_oracle'] == pytest.approx(0.25)
  assert snd['rank_correlation'] == pytest.approx(-0.3)


def test_table_and_plot_show_every_rule(tmp_path: Path) -> None:
  for place, result in enumerate(RESULTS):
    (tmp_path / str(place)).mkdir()
    (tmp_path / str(place) / 'result.json').write_text(json.dumps(result))
  compare_rules.compare(tmp_path, tmp_path / 'rules.json')
  table = (tmp_path / 'rules.md').read_text()
  assert '| snd | 25.00 (12.50 to 37.50) | −15.00 | −0.30 |' in table
  assert '| last | 10.00 (5.00 to 15.00) | +0.00 | – |' in table
  drawn = (tmp_path / 'rules.svg').read_text()
  assert all(f'>{name}<' in drawn for name in ('entropy', 'last', 'snd'))
  assert drawn == rules.figure(json.loads((tmp_path / 'rules.json').read_text()))


def test_a_commit_whose_files_had_changed_keeps_its_plus() -> None:
  changed = {**RESULTS[1], 'config': {'commit': 'd' * 40 + '+'}}
  table = rules.markdown(rules.judge([RESULTS[0], changed]), 'me')
  assert f'Commits: `{"c" * 12}`, `{"d" * 12}+`. Made by `me`.' in table


def test_runs_without_scores_are_a_mistake() -> None:
  with pytest.raises(UserError, match='no finished run'):
    rules.judge([_result('p', {'last': [0.0], 'oracle': [1.0]}, rank_correlation=None)])


def test_what_is_shown_was_drawn_from_its_json() -> None:
  place = compare_rules.PLACE
  judged = json.loads(place.read_text())
  assert place.with_suffix('.md').read_text() == rules.markdown(judged, compare_rules.COMMAND)
  assert place.with_suffix('.svg').read_text() == rules.figure(judged)
