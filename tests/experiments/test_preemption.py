"""Ends of a run: SIGTERM and Ctrl-C save it, and the same command goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments import common
from tests.contracts.test_methods import assert_same_run
from tlda.training.preemption import EXIT_CODE, Notice

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


@pytest.fixture
def _default_ctrl_c() -> Iterator[None]:
  """As in a terminal; a job in the background ignores it."""
  before = signal.signal(signal.SIGINT, signal.default_int_handler)
  yield
  signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures('_default_ctrl_c')
def test_ctrl_c_is_a_notice_and_a_second_ends_at_once() -> None:
  heard = []
  with pytest.raises(KeyboardInterrupt), Notice() as notice:
    signal.raise_signal(signal.SIGINT)
    heard.append(notice.has_come())
    signal.raise_signal(signal.SIGINT)
  assert heard == [True]
  assert not Notice().has_come()


def test_who_is_interrupted_or_not_read_leaves_without_a_traceback(
  monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  def interrupted() -> None:
    raise KeyboardInterrupt

  assert common.guarded(interrupted) == 130
  assert capsys.readouterr().err == 'interrupted\n'
  reader, writer = os.pipe()
  os.close(reader)
  with os.fdopen(writer, 'w') as unread:
    monkeypatch.setattr(sys, 'stdout', unread)
    assert common.guarded(lambda: print('a line')) == 141
