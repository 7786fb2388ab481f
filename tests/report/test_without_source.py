"""The page of a run whose source data are not there, alone and beside one that has them."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.report.fake_run import write_run
from tlda import report
from tlda.errors import UserError


def without_source(workdir: Path) -> Path:
  write_run(workdir, method='source_only', vectors=True)
  result = json.loads((workdir / 'result.json').read_text())
  result['accuracy'].pop('source_test')
  (workdir / 'result.json').write_text(json.dumps(result | {'proxy_a_distance': {}}))
  samples = np.load(workdir / 'report' / 'samples.npz')
  kept = {name: samples[name] for name in samples.files if 'source' not in name}
  np.savez(workdir / 'report' / 'samples.npz', **kept)
  return workdir


def test_its_page_says_nothing_of_the_source(tmp_path: Path) -> None:
  page = tmp_path / 'page.html'
  report.write([without_source(tmp_path / 'a')], page)
  said = page.read_text()
  assert 'target mnist_m' in said
  assert 'source mnist' not in said
  assert 'Source test' not in said


def test_beside_another_run_its_cell_is_empty(tmp_path: Path) -> None:
  page = tmp_path / 'page.html'
  both = [without_source(tmp_path / 'a'), write_run(tmp_path / 'b', vectors=True)]
  report.write(both, page)
  said = page.read_text()
  assert 'source mnist' in said
  assert '<th scope="col">Source test</th>' in said
  assert '<td>–</td>' in said


def test_half_of_the_source_is_refused(tmp_path: Path) -> None:
  folder = write_run(tmp_path / 'a', vectors=True)
  samples = dict(np.load(folder / 'report' / 'samples.npz'))
  samples.pop('source_labels')
  np.savez(folder / 'report' / 'samples.npz', **samples)
  with pytest.raises(UserError, match='it has no source_labels'):
    report.write([folder], tmp_path / 'page.html')
