"""The Slurm worker: a stop is passed on, and a run that was saved is queued again."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.scripts.stubs import write

ROOT = Path(__file__).resolve().parents[2]
_WORKER = """#!/usr/bin/env bash
trap 'echo saved; exit 75' TERM
echo "$*"
if [[ $CODE == wait ]]; then while true; do sleep 0.05; done; fi
exit "$CODE"
"""


@pytest.mark.parametrize(
  ('code', 'left', 'says'),
  [('0', 0, []), ('3', 3, []), ('75', 0, ['requeue 7']), ('wait', 0, ['saved', 'requeue 7'])],
)
def test_how_a_worker_ends(code: str, left: int, says: list[str], tmp_path: Path) -> None:
  worker = write(tmp_path / 'python', _WORKER)
  write(tmp_path / 'scontrol', '#!/usr/bin/env bash\necho "$*"\n')
  path = f'{tmp_path}:{os.environ["PATH"]}'
  environment = {'PATH': path, 'PYTHON': str(worker), 'SLURM_JOB_ID': '7', 'CODE': code}
  with subprocess.Popen(
    ['bash', 'scripts/sweep_slurm.sh', 'FOLDER', '--wait=false'],
    cwd=ROOT,
    env=environment,
    stdout=subprocess.PIPE,
    text=True,
  ) as job:
    assert job.stdout.readline() == 'scripts/sweep.py work FOLDER --wait=false\n'
    if code == 'wait':
      job.send_signal(signal.SIGTERM)
    assert job.stdout.read().splitlines() == says
  assert job.returncode == left
