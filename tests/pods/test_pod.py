"""Two processes are a pod: it trains, loses one of them, starts again, and ends as undisturbed."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.problem import make_run
from tlda.methods import DANN
from tlda.training.checkpoint import Checkpoints
from tlda.training.fit import fit
from tlda.training.logs import read

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
  with socket.socket() as probe:
    probe.bind(('127.0.0.1', 0))
    return probe.getsockname()[1]


def pod(workdir: Path, *, die_at: int = 0) -> list[subprocess.Popen]:
  """Starts two processes; the second dies before its step `die_at`."""
  coordinator = f'127.0.0.1:{free_port()}'
  return [
    subprocess.Popen(
      [
        sys.executable,
        '-m',
        'tests.pods.worker',
        coordinator,
        str(process),
        str(workdir),
        str(die_at if process else 0),
      ],
      cwd=ROOT,
      env={**os.environ, 'PYTHONPATH': str(ROOT)},
      stdout=subprocess.PIPE,
      stderr=subprocess.STDOUT,
    )
    for process in range(2)
  ]


def test_a_pod_that_loses_a_process_ends_as_an_undisturbed_run(tmp_path: Path) -> None:
  broken = pod(tmp_path / 'pod', die_at=4)
  broken[1].communicate(timeout=120)
  assert broken[1].returncode == 9
  broken[0].kill()  # As a cluster does: the survivor cannot go on alone.
  broken[0].communicate()
  whole = pod(tmp_path / 'pod')
  said = [process.communicate(timeout=120)[0].decode() for process in whole]
  assert [process.returncode for process in whole] == [0, 0], said
  assert 'resuming' in said[0]
  assert 'at step 2' in said[0]
  assert 'step 6/6' in said[0]
  assert 'step 6/6' not in said[1], 'only the first host speaks'

  fit(make_run(DANN, tmp_path / 'alone', steps=6, distribute='pmap'))
  expected = Checkpoints(tmp_path / 'alone' / 'checkpoints').latest()
  found = Checkpoints(tmp_path / 'pod' / 'checkpoints').latest()
  assert found[0] == expected[0] == 6
  for name, array in expected[1].items():
    np.testing.assert_allclose(found[1][name], array, rtol=1e-4, atol=1e-5, err_msg=name)
  logs = [read(tmp_path / name / 'metrics.jsonl') for name in ('alone', 'pod')]
  assert [record['step'] for record in logs[1]] == [1, 2, 3, 4, 5, 6]
  for alone, together in zip(*logs, strict=True):
    np.testing.assert_allclose(together['loss/task'], alone['loss/task'], rtol=1e-4)
