"""A run in a process of its own: SIGTERM saves it, and the same command goes on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.contracts.test_methods import assert_same_run
from tlda.training.preemption import EXIT_CODE

ROOT = Path(__file__).resolve().parents[2]


def start(workdir: Path) -> subprocess.Popen:
  command = [sys.executable, '-m', 'experiments.digits', '--method=dann', '--backbone=mlp']
  command += ['--source=mnist_mini', '--target=sklearn_digits', '--image_size=16', '--steps=30']
  command += ['--batch_size=8', '--log_every=1', '--report=false', f'--workdir={workdir}']
  return subprocess.Popen(
    command,
    cwd=ROOT,
    env={**os.environ, 'PYTHONUNBUFFERED': '1'},
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
  )


def test_sigterm_saves_and_the_same_command_goes_on(tmp_path: Path) -> None:
  whole = start(tmp_path / 'whole')
  assert whole.communicate()[1] == ''
  assert whole.returncode == 0

  cut = start(tmp_path / 'cut')
  assert cut.stdout is not None
  for line in cut.stdout:
    if line.startswith('step 7/'):
      cut.send_signal(signal.SIGTERM)
      break
  said = cut.communicate()[1]
  assert cut.returncode == EXIT_CODE, said
  assert 'the same command goes on from there' in said
  assert 'Traceback' not in said
  assert not (tmp_path / 'cut' / 'result.json').exists()

  again = start(tmp_path / 'cut')
  assert 'resuming' in again.communicate()[0]
  assert again.returncode == 0
  assert_same_run(tmp_path / 'whole', tmp_path / 'cut')
