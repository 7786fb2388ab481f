"""Rules are compared over runs that selected, whatever else lies beside them."""

import json
from pathlib import Path

import pytest

from scripts import compare_rules
from tlda.errors import UserError


def test_results_without_a_selection_are_passed_over(tmp_path: Path) -> None:
  (tmp_path / 'result.json').write_text(json.dumps({'experiment': 'test_time', 'domains': []}))
  with pytest.raises(UserError, match='no finished run among these'):
    compare_rules.compare(tmp_path, tmp_path / 'rules.json')
