"""Two processes never train in one folder."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.problem import make_run
from tlda.errors import UserError
from tlda.methods import SourceOnly
from tlda.training.grid import fit_together
from tlda.training.run import claim
from tlda.training.workdir import Lock

# Another process that holds the lock until nobody reads what it says.
HOLDER = (
  'import fcntl, sys; file = open(sys.argv[1], "a"); fcntl.lockf(file, fcntl.LOCK_EX);'
  'print("held", flush=True); sys.stdin.read()'
)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
  """Another process trains in a folder."""
  command = [sys.executable, '-c', HOLDER, os.fspath(folder / 'lock')]
  with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
    assert other.stdout is not None
    assert other.stdout.readline() == b'held\n'
    yield other


def test_a_folder_is_of_one_process_until_that_dies(tmp_path: Path) -> None:
  run = make_run(SourceOnly, tmp_path)
  with held(tmp_path) as other:
    with pytest.raises(UserError, match=f'another process trains in {tmp_path}: '):
      claim(run, writes=True, lock=Lock())
    assert not (tmp_path / 'config.json').exists()
    other.kill()
  first = Lock()
  claim(run, writes=True, lock=first)
  claim(run, writes=True, lock=Lock())  # A stage after another, in one process.
  assert (tmp_path / 'config.json').exists()


def test_runs_that_are_trained_together_are_alone_in_their_folders(tmp_path: Path) -> None:
  runs = [make_run(SourceOnly, tmp_path / name, images=False) for name in 'ab']
  (tmp_path / 'b').mkdir()
  with held(tmp_path / 'b') as other:
    with pytest.raises(UserError, match=f'another process trains in {tmp_path}/b: '):
      fit_together(runs)
    other.kill()
  fit_together(runs)  # That other's end lets it in.
  assert (tmp_path / 'b' / 'result.json').exists()


def test_the_end_of_a_run_lets_others_in(tmp_path: Path) -> None:
  lock = Lock()
  lock.take(tmp_path)
  tries = 'import fcntl, sys; fcntl.lockf(open(sys.argv[1], "a"), fcntl.LOCK_EX | fcntl.LOCK_NB)'
  command = [sys.executable, '-c', tries, os.fspath(tmp_path / 'lock')]
  assert subprocess.run(command, capture_output=True).returncode == 1
  lock.release()
  assert subprocess.run(command, capture_output=True).returncode == 0
