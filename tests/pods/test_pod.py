"""Two processes are a pod: it trains, loses one of them, starts again, and ends as undisturbed."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.pods.worker import STEPS
from tests.problem import make_run
from tests.training.test_workdir import truncate
from tlda.methods import DANN
from tlda.training.checkpoint import Checkpoints
from tlda.training.fit import fit
from tlda.training.logs import read
from tlda.training.preemption import EXIT_CODE

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
  with socket.socket() as probe:
    probe.bind(('127.0.0.1', 0))
    return probe.getsockname()[1]


def pod(workdir: Path, fate: str = 'lives', at: int = 0) -> list[subprocess.Popen]:
  """Starts two processes; `fate` befalls the second before its step `at`."""
  arguments = lambda process: [f'127.0.0.1:{port}', str(process), str(workdir)]
  port = free_port()
  return [
    subprocess.Popen(
      [sys.executable, '-m', 'tests.pods.worker', *arguments(process), own, str(at)],
      cwd=ROOT,
      env={**os.environ, 'PYTHONPATH': str(ROOT)},
      stdout=subprocess.PIPE,
      stderr=subprocess.STDOUT,
    )
    for process, own in enumerate(('lives', fate))
  ]


def finish(processes: list[subprocess.Popen]) -> tuple[list[int], list[str]]:
  """Waits for both; returns their exit codes and what they said."""
  said = [process.communicate(timeout=120)[0].decode() for process in processes]
  return [process.returncode for process in processes], said


@pytest.fixture(scope='module')
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
  """The folder of an undisturbed run in one process."""
  folder = tmp_path_factory.mktemp('alone')
  fit(make_run(DANN, folder, steps=STEPS, distribute='pmap'))
  return folder


def assert_same(alone: Path, together: Path) -> None:
  expected, found = (Checkpoints(f / 'checkpoints').latest() for f in (alone, together))
  assert found[0] == expected[0] == STEPS
  for name, array in expected[1].items():
    np.testing.assert_allclose(found[1][name], array, rtol=1e-4, atol=1e-5, err_msg=name)
  logs = [read(folder / 'metrics.jsonl') for folder in (alone, together)]
  assert [record['step'] for record in logs[1]] == list(range(1, STEPS + 1))
  for one, other in zip(*logs, strict=True):
    np.testing.assert_allclose(other['loss/task'], one['loss/task'], rtol=1e-4)


def test_a_pod_that_loses_a_process_ends_as_an_undisturbed_run(tmp_path: Path, alone: Path) -> None:
  broken = pod(tmp_path, 'dies', at=4)
  broken[1].communicate(timeout=120)
  assert broken[1].returncode == 9
  broken[0].kill()  # As a cluster does: the survivor cannot go on alone.
  broken[0].communicate()
  codes, said = finish(pod(tmp_path))
  assert codes == [0, 0], said
  assert re.search(r'resuming .* at step 2\n', said[0])
  assert f'step {STEPS}/{STEPS}' in said[0]
  assert f'step {STEPS}/{STEPS}' not in said[1], 'only the first host speaks'
  assert_same(alone, tmp_path)


def test_a_pod_that_is_told_to_stop_saves_and_survives_a_broken_checkpoint(
  tmp_path: Path, alone: Path
) -> None:
  codes, said = finish(pod(tmp_path, 'is told to stop', at=4))
  assert codes == [EXIT_CODE, EXIT_CODE], said
  steps = [re.search(rf'stopped at step (\d+) of {STEPS}', own)[1] for own in said]
  assert steps[0] == steps[1], 'both stop after the same step'
  assert int(steps[0]) >= 4
  truncate(tmp_path / 'checkpoints' / steps[0])
  codes, said = finish(pod(tmp_path))
  assert codes == [0, 0], said
  assert f'checkpoints/{steps[0]} is broken' in said[0]
  assert_same(alone, tmp_path)
