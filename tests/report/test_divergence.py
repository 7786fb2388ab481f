"""The section of the page on the distance between the domains."""

from pathlib import Path
from typing import Any

import pytest

from tests.report.fake_run import write_run
from tlda.errors import UserError
from tlda.report import runs
from tlda.report.sections import divergence

KNOWN = {
  'maximum_mean_discrepancy': {
    'before': {'squared': 0.0991, 'p_value': 0.001},
    'after': {'squared': -0.00112, 'p_value': 0.7},
  },
  'sliced_wasserstein': {'before': 0.664, 'after': 0.5},
  'joint_error': {'before': 0.4, 'after': 0.25},
  'error_bound': {
    'source_error': 0.1,
    'divergence': 0.42,
    'joint_error': 0.25,
    'bound': 0.77,
    'target_error': 0.3,
  },
}


def cells(*folders: Path) -> str:
  return divergence.section(runs.read(folders))


def line(*values: str) -> str:
  return ''.join(f'<td>{value}</td>' for value in values)


def test_old_runs_have_no_section(tmp_path: Path) -> None:
  assert cells(write_run(tmp_path / 'a', vectors=True)) == ''


def test_distances_and_the_terms_of_the_bound(tmp_path: Path) -> None:
  drawn = cells(write_run(tmp_path / 'a', vectors=True, **KNOWN))
  assert f'Before training</th>{line("1.93", "99.1", "0.001", "0.66", "40.00")}' in drawn
  assert f'After training</th>{line("0.84", "−1.1", "0.700", "0.50", "25.00")}' in drawn
  assert line('10.00', '42.00', '25.00', '77.00', '30.00') in drawn


def test_beside_a_run_that_does_not_know_them(tmp_path: Path) -> None:
  old = write_run(tmp_path / 'a', method='source_only', vectors=True)
  drawn = cells(old, write_run(tmp_path / 'b', vectors=True, **KNOWN))
  assert line('1.97', '–', '–', '–', '–') in drawn
  assert drawn.count('<tr>') == 1 + 4 + 1 + 1


@pytest.mark.parametrize(
  ('changes', 'complaint'),
  [
    ({'sliced_wasserstein': {'before': 1}}, "'sliced_wasserstein' lacks a number"),
    ({'error_bound': {'bound': 1}}, "'error_bound' lacks a number"),
    (
      {'maximum_mean_discrepancy': {'before': {'squared': 0, 'p_value': 1}, 'after': {}}},
      'lacks a number after',
    ),
    ({'joint_error': [1]}, "'joint_error' is no object"),
  ],
)
def test_what_does_not_fit(tmp_path: Path, changes: dict[str, Any], complaint: str) -> None:
  folder = write_run(tmp_path / 'a', vectors=True, **(KNOWN | changes))
  with pytest.raises(UserError, match=complaint):
    runs.read([folder])
