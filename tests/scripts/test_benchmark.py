import argparse
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scripts import _benchmark_table, _worker, benchmark
from scripts.benchmark_step import CASES, Case, StepBench
from tlda.errors import UserError

# A worker that answers without a clock, and says what it was asked as its peak memory.
ANSWERS = """
import sys
from scripts import _worker
about = {'device': {'platform': 'cpu', 'kind': 'cpu'}, 'versions': {'jax': '1.2'}, 'parameters': 7}
_worker.tell({'first_call': 1.5, 'about': about})
for line in sys.stdin:
  samples, steps = map(int, line.split())
  _worker.tell({
    'seconds': [0.05, 0.02, 0.03], 'cpu_seconds': [0.06, 0.01, 0.04], 'host_seconds': 0.001,
    'peak_bytes': 1000 * samples + steps,
  })
"""


def _row(case: str, medians: list[float], minimum: float, seeds: int = 1) -> dict[str, Any]:
  return {
    'case': case,
    'seeds': seeds,
    'examples': 128 * seeds,
    'median_of_each_round': medians,
    'minimum': minimum,
    'cpu_seconds': 0.07 * seeds,
    'host_share': 0.013,
    'first_call_seconds': 2.04,
    'peak_bytes': 3 * 2**30,
    'platform': 'cpu',
    'versions': {'jax': '1.2'},
  }


def _result(*cases: dict[str, Any]) -> dict[str, Any]:
  return {
    'benchmark': 'step',
    'command': 'python scripts/benchmark.py step',
    'commit': '0123456789abcdef+',
    'device': {'kind': 'cpu'},
    'cores': 2,
    'load': 0.5,
    'rounds': 3,
    'seconds_in_a_round': 2.0,
    'cases': list(cases),
    'left_out': ['PyTorch is left out: why'],
  }


def test_a_case_in_the_table() -> None:
  table = _benchmark_table.markdown(_result(_row('resident', [0.1, 0.08, 0.09], 0.05)))
  line = '| resident | 90.00 | 50.00 | 70.00 | 11.1 | 1,422 | 1.3 % | 2.0 | 3,072 |'
  assert line in table.splitlines()
  assert 'of rounds |' not in table  # There is nothing to compare it with.
  assert '`python scripts/benchmark.py step` at `0123456789ab+`' in table
  assert 'PyTorch is left out: why.' in table.splitlines()
  assert '3 rounds of 2 s a case, on cpu, 2 cores; load at the start 0.5' in table
  assert '- jax 1.2' in table.splitlines()


def test_what_is_not_known_is_a_dash() -> None:
  row = _row('resident', [0.1], 0.1) | {'host_share': None, 'peak_bytes': None}
  table = _benchmark_table.markdown(_result(row))
  assert '| resident | 100.00 | 100.00 | 70.00 | 10.0 | 1,280 | – | 2.0 | – |' in table.splitlines()


def test_ratios_are_taken_within_rounds_and_for_each_seed() -> None:
  one = _row('resident', [0.1, 0.2, 0.1], 0.1)
  five = _row('5 seeds', [0.6, 0.8, 0.5], 0.4, seeds=5)
  # A step and seed: .12, .16, .10 against .1, .2, .1; the fastest .08 against .1.
  np.testing.assert_allclose(
    _benchmark_table.ratio(five, one), (1.0, 0.8, 1.2, 0.8, 1.0), rtol=1e-12
  )
  table = _benchmark_table.markdown(_result(one, five))
  assert '| 5 seeds / resident | 1.00 | 0.80, 1.20 | 0.80 | 1.00 |' in table.splitlines()


def test_an_accelerator_is_not_compared_with_a_cpu() -> None:
  ours = _row('resident', [0.1], 0.1) | {'platform': 'gpu'}
  theirs = _row('PyTorch on CPU, default', [0.1], 0.1)
  assert 'of rounds |' not in _benchmark_table.markdown(_result(ours, theirs))


def test_all_that_is_compared_is_measured() -> None:
  measured = {case.name for case in CASES} | set(benchmark.TORCH)
  assert measured == {name for pair in _benchmark_table.COMPARED for name in pair}


class _Counter:
  """Counts the steps that it runs."""

  about = {'parameters': 7}

  def __init__(self) -> None:
    self.calls: list[int] = []

  def run(self, steps: int) -> None:
    self.calls.append(steps)

  def host_seconds(self) -> float:
    return 0.5

  def peak_bytes(self) -> int:
    return 10


def test_a_worker_runs_what_it_is_asked_to(
  monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  monkeypatch.setattr(sys, 'stdin', io.StringIO('2 3\n1 4\n'))
  bench = _Counter()
  _worker.serve(bench)
  assert bench.calls == [1, 3, 3, 4]
  first, *rounds = map(json.loads, capsys.readouterr().out.splitlines())
  assert first['about'] == {'parameters': 7} and first['first_call'] >= 0
  assert [len(each['seconds']) for each in rounds] == [2, 1]
  assert [len(each['cpu_seconds']) for each in rounds] == [2, 1]
  assert [(each['host_seconds'], each['peak_bytes']) for each in rounds] == [(0.5, 10)] * 2


def test_peak_memory_is_not_that_of_the_process_before() -> None:
  own = _worker.process_peak_bytes()
  if own is None:
    pytest.skip('only Linux tells')
  code = "x = b'1' * 2**26; from scripts import _worker; print(_worker.process_peak_bytes())"
  child = subprocess.run(
    [sys.executable, '-c', code], cwd=benchmark.ROOT, capture_output=True, text=True, check=True
  )
  assert 2**26 < int(child.stdout) < 2**27 < own


def test_workers_take_turns() -> None:
  command = (sys.executable, '-c', ANSWERS)
  away = (sys.executable, '-c', 'print(\'{"left_out": "it needs more"}\')')
  one, two = Case('one', seeds=2), Case('two')
  workers, left_out = benchmark.measure({one: command, two: command, Case('three'): away}, 3, 0.5)
  assert left_out == ['three is left out: it needs more']
  assert list(workers) == [one, two]
  assert benchmark.row(one, workers[one]) == {
    'case': 'one',
    'seeds': 2,
    'examples': 2 * 64 * 2,
    'samples_in_a_round': 6,  # Half a second of samples of 3 steps of 0.03 s.
    'steps_in_a_sample': 3,
    'median_of_each_round': [0.03, 0.03, 0.03],
    'minimum': 0.02,
    'cpu_seconds': 0.04,
    'host_share': pytest.approx(1 / 20),
    'first_call_seconds': 1.5,
    'peak_bytes': 6003,
    'parameters': 7,
    'platform': 'cpu',
    'versions': {'jax': '1.2'},
  }


@pytest.mark.parametrize('said', ['', "print('{}', flush=True);"], ids=['at once', 'later'])
def test_a_worker_that_ends_is_said(said: str) -> None:
  with pytest.raises(UserError, match="process of 'one' ended with exit code 3"):
    benchmark.measure({Case('one'): (sys.executable, '-c', f'{said}exit(3)')}, 1, 1.0)


@pytest.mark.parametrize(
  'case',
  [
    Case('host-fed', resident=False, examples=100, batch_size=8),
    Case('vectors', backbone='mlp', seeds=2, examples=100, batch_size=8),
  ],
  ids=lambda case: case.name,
)
def test_the_step_runs(case: Case) -> None:
  bench = StepBench(case)
  # 5x5 convolutions of 3, 32 and 48 channels, then 768-100-100-10 and 768-100-1.
  images = 75 * 32 + 32 + 800 * 48 + 48 + 768 * 100 + 100 + 10100 + 1010 + 768 * 100 + 100 + 101
  vectors = 512 * 100 + 100 + 1010 + 101
  assert bench.about['parameters'] == (vectors if case.backbone == 'mlp' else images)
  bench.run(2)
  assert 0 < bench.host_seconds() < 60
  peak = bench.peak_bytes()
  assert peak is None or peak > 0


def _given(**changed: Any) -> argparse.Namespace:
  given = {'benchmark': 'step', 'torch_python': None, 'rounds': 1, 'seconds': 1.0, 'output': None}
  return argparse.Namespace(**given | changed)


@pytest.mark.parametrize(
  ('changed', 'sentence'),
  [
    ({'benchmark': 'stop'}, "unknown benchmark 'stop': did you mean 'step'"),
    ({'benchmark': 'losses', 'torch_python': 'no-such-python'}, 'no-such-python does not run'),
    ({'rounds': 0}, '--rounds must be above 0, not 0'),
    ({'seconds': float('nan')}, '--seconds must be above 0, not nan'),
    ({'output': Path('table.md')}, '--output=table.md must end in .json'),
    ({'torch_python': 'no-such-python'}, 'no-such-python does not run: No such file'),
  ],
)
def test_mistakes_are_said_before_anything_runs(changed: dict[str, Any], sentence: str) -> None:
  with pytest.raises(UserError, match=sentence):
    benchmark.run(_given(**changed))


def test_a_python_without_pytorch_is_said(tmp_path: Path) -> None:
  python = tmp_path / 'python'
  python.write_text('#!/bin/sh\nexit 1\n')
  python.chmod(0o755)
  with pytest.raises(UserError, match='has no PyTorch'):
    benchmark.run(_given(torch_python=str(python)))


def test_json_and_table_are_written(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  command = (sys.executable, '-c', ANSWERS)
  monkeypatch.setattr(benchmark, 'commands', lambda torch: {Case('resident'): command})
  path = tmp_path / 'folder' / 'step.json'
  benchmark.run(_given(output=path, rounds=2))
  result = json.loads(path.read_text())
  assert result['command'] == 'python scripts/benchmark.py step --rounds=2 --seconds=1'
  assert result['left_out'] == ['PyTorch is left out: --torch_python names a Python that has it']
  assert [row['case'] for row in result['cases']] == ['resident']
  drawn = path.with_suffix('.md').read_text()
  assert '| resident | 30.00 | 20.00 | 40.00 |' in drawn and drawn in capsys.readouterr().out


def test_a_table_that_cannot_be_written_is_shown_all_the_same(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  (tmp_path / 'file').write_text('')
  with pytest.raises(UserError, match='cannot be written'):
    benchmark.write(tmp_path / 'file' / 'step.json', _result(_row('resident', [0.1], 0.1)))
  assert '| resident |' in capsys.readouterr().out
