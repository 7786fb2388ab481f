"""The sections of the page on calibration and on where a network looks."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.report.fake_run import write_run
from tlda.errors import UserError
from tlda.report import runs
from tlda.report.page import render
from tlda.report.sections import heat_maps

_TABLE = {'counts': [0, 30, 10], 'confidence': [0.0, 0.5, 0.9], 'accuracy': [0.0, 0.4, 0.95]}
_MOMENT = {'error': [0.1, 0.2, 0.3], 'negative_log_likelihood': [1.0] * 3, 'reliability': _TABLE}
_SPLIT = {'examples': 1234, 'before': _MOMENT, 'after': _MOMENT | {'error': [0.05] * 3}}
CALIBRATION = {'temperature': [1.5, 1.7, 1.9], 'source_test': _SPLIT, 'target_test': _SPLIT}


def _with_maps(folder: Path, **changes: Any) -> Path:
  """Adds heat maps of three images to the samples of a run; the last of them told wrongly."""
  path = folder / 'report' / 'samples.npz'
  with np.load(path) as file:
    samples = dict(file)
  shown = np.array([4, 0, 7])
  predicted = samples['target_labels'][shown] + np.array([0, 0, 1])
  maps = np.zeros((3, 2, 2), np.uint8)
  maps[:, 1, 0] = 255
  new = {'target_shown': shown, 'target_predicted': predicted, 'target_maps': maps}
  np.savez(path, **(samples | new | changes))
  return folder


def _page(*folders: Path) -> str:
  return render(runs.read(folders))


def test_old_runs_have_neither_section(tmp_path: Path) -> None:
  page = _page(write_run(tmp_path / 'a'))
  assert '>Calibration<' not in page
  assert '>What it looks at<' not in page


def test_calibration_of_one_run(tmp_path: Path) -> None:
  page = _page(write_run(tmp_path / 'a', calibration=CALIBRATION))
  assert '>Calibration<' in page
  # Mean and sample deviation of .1, .2, .3 in percent; of the temperatures the mean.
  assert '20.00<span class="spread"> ± 10.00' in page
  assert '>1.70<' in page
  assert '1,234 examples' in page
  for split in ('source test', 'target test'):
    assert page.count(f'Reliability diagram of dann, {split}') == 1


def test_calibration_beside_a_run_without_it(tmp_path: Path) -> None:
  page = _page(
    write_run(tmp_path / 'a', method='source_only'),
    write_run(tmp_path / 'b', calibration=CALIBRATION),
  )
  assert 'Reliability diagram of dann, target test' in page
  assert 'Reliability diagram of source_only' not in page


def _broken(*path: str, value: Any) -> dict[str, Any]:
  """Returns a calibration in which one entry is replaced."""
  found = copy.deepcopy(CALIBRATION)
  place = found
  for key in path[:-1]:
    place = place[key]
  place[path[-1]] = value
  return found


@pytest.mark.parametrize(
  'calibration',
  [
    _broken('temperature', value=[1.0]),
    _broken('target_test', value=None),
    _broken('target_test', 'examples', value='many'),
    _broken('source_test', 'after', 'error', value=[0.1]),
    _broken('source_test', 'before', 'reliability', 'accuracy', value=[0.5]),
    _broken('source_test', 'before', 'reliability', value=None),
  ],
)
def test_a_calibration_that_does_not_fit(tmp_path: Path, calibration: dict[str, Any]) -> None:
  folder = write_run(tmp_path / 'a', calibration=calibration)
  with pytest.raises(UserError, match='the calibration does not fit 3 seeds'):
    runs.read([folder])


def test_heat_maps_stand_under_their_images(tmp_path: Path) -> None:
  folder = _with_maps(write_run(tmp_path / 'a'))
  page = _page(folder)
  assert '>What it looks at<' in page
  assert page.count('alt="what speaks for') == 3
  (run,) = runs.read([folder])
  true = int(run.samples['target_labels'][7])
  assert f'{true} → {run.class_name(true + 1)}' in page
  assert 'Maps of 2 × 2 places' in page


def test_runs_without_errors_have_one_sheet(tmp_path: Path) -> None:
  folder = write_run(tmp_path / 'a')
  (run,) = runs.read([folder])
  right = run.samples['target_labels'][[4, 0, 7]]
  page = _page(_with_maps(folder, target_predicted=right))
  assert '<figcaption>Right</figcaption>' in page
  assert '<figcaption>Wrong</figcaption>' not in page


@pytest.mark.parametrize('channels', [1, 3])
def test_an_overlay_leaves_what_is_cold(channels: int) -> None:
  image = np.full((8, 6, channels), 100, np.uint8)
  np.testing.assert_array_equal(heat_maps.overlay(image, np.zeros((2, 2), np.uint8)), 100)
  hot = heat_maps.overlay(image, np.array([[0, 0], [0, 255]], np.uint8))
  assert hot.shape == (8, 6, 3)
  np.testing.assert_array_equal(hot[0, 0], 100)
  # The hottest colour of the map is (252, 255, 164): three quarters of it and a quarter of 100.
  np.testing.assert_array_equal(hot[-1, -1], [214, 216, 148])


@pytest.mark.parametrize(
  'changes',
  [
    {'target_maps': np.zeros((3, 2, 2))},
    {'target_maps': np.zeros((2, 2, 2), np.uint8)},
    {'target_shown': np.array([0, 1, 99])},
    {'target_shown': np.array([0, 1, -1])},
    {'target_predicted': np.zeros(3)},
  ],
)
def test_maps_that_do_not_fit(tmp_path: Path, changes: dict[str, np.ndarray]) -> None:
  folder = _with_maps(write_run(tmp_path / 'a'), **changes)
  with pytest.raises(UserError, match='target_maps are not uint8'):
    runs.read([folder])


def test_maps_without_images(tmp_path: Path) -> None:
  folder = _with_maps(write_run(tmp_path / 'a', vectors=True))
  with pytest.raises(UserError, match='target_maps are not uint8'):
    runs.read([folder])
