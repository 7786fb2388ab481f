"""Who works at what: one worker at a run, and no run is lost with its worker."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from experiments.sweeps import claims, places, plan, table, work
from tests.experiments.sweeps import TERM, Trained, finished, planned, states
from tlda.errors import UserError
from tlda.training.preemption import Preempted

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> str:
  return planned(tmp_path)


def test_a_worker_trains_every_run_once_and_fills_what_is_missing(folder: str) -> None:
  runs = list(plan.read(folder).runs)
  finished(f'{folder}/runs/{runs[1]}', 0.9, 0.5)
  trained = Trained()
  work.work(folder, term=TERM, train=trained)
  assert trained.runs == [runs[0], runs[2]]
  assert states(folder) == ['done'] * 3
  work.work(folder, term=TERM, train=trained)
  assert len(trained.runs) == 2


@pytest.mark.parametrize('place', ['disk', 'bucket'])
def test_of_many_workers_one_has_a_run(place: str, tmp_path: Path) -> None:
  folder = str(tmp_path) if place == 'disk' else f'memory://{tmp_path.name}'
  for number in range(2):  # As new, and taken over.
    barrier, won = threading.Barrier(8), []

    def take(number: int = number, barrier: Any = barrier, won: list[Any] = won) -> None:
      barrier.wait()
      won.append(claims.take(folder, 'run', number, TERM))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
      thread.start()
    for thread in threads:
      thread.join()
    assert sum(lease is not None for lease in won) == 1
  assert [claim.number for claim in claims.history(folder, 'run')] == [0, 1]


def test_a_disk_makes_a_file_once_whoever_looked_before(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  path = f'{tmp_path}/claims/run.0.json'
  assert places.create(path, 'first')
  monkeypatch.setattr(LocalFileSystem, 'exists', lambda *_, **__: False)
  assert not places.create(path, 'second')
  assert places.read(path) == 'first'


def test_two_workers_share_the_runs(folder: str) -> None:
  runs = list(plan.read(folder).runs)
  claims.take(folder, runs[1], 0, TERM)  # A third worker, that is busy throughout.
  other = Trained()
  beside = lambda run: work.work(folder, term=TERM, wait=False, train=other)
  first = Trained(beside)  # While it trains, the other comes.
  work.work(folder, term=TERM, wait=False, train=first)
  assert (first.runs, other.runs) == ([runs[0]], [runs[2]])
  assert states(folder) == ['done', 'running', 'done']


def test_the_run_of_a_killed_worker_is_taken_up_and_no_other_is_lost(folder: str) -> None:
  runs = list(plan.read(folder).runs)
  finished(f'{folder}/runs/{runs[0]}', 0.9, 0.5)
  claims.take(folder, runs[1], 0, TERM)
  code = (
    'import sys, time; from experiments.sweeps import claims;'
    f'claims.take({folder!r}, {runs[2]!r}, 0, {TERM}); print("taken", flush=True); time.sleep(60)'
  )
  with subprocess.Popen([sys.executable, '-c', code], cwd=ROOT, stdout=subprocess.PIPE) as worker:
    assert worker.stdout.readline() == b'taken\n'
    assert states(folder) == ['done', 'running', 'running']
    worker.kill()
  assert states(folder) == ['done', 'running', 'stale']
  trained = Trained()
  work.work(folder, term=TERM, wait=False, train=trained)
  assert trained.runs == [runs[2]]
  assert states(folder) == ['done', 'running', 'done']


def elsewhere(folder: str, run: str, **changed: Any) -> str:
  """Makes a claim that of a worker on another machine; returns its path."""
  path = f'{folder}/claims/{run}.0.json'
  claim = json.loads(places.read(path))
  places.replace(path, json.dumps({**claim, 'machine': 'other', 'pid': 1, **changed}))
  return path


def test_a_worker_elsewhere_is_lost_when_its_term_is_over(folder: str) -> None:
  runs = list(plan.read(folder).runs)
  claims.take(folder, runs[0], 0, TERM)
  elsewhere(folder, runs[0])
  assert states(folder)[0] == 'running'
  elsewhere(folder, runs[0], expires=time.time() - 1)
  assert states(folder)[0] == 'stale'
  trained = Trained()
  work.work(folder, term=TERM, train=trained)
  assert trained.runs == [*runs[1:], runs[0]]  # What may have killed it comes last.


def test_a_claim_cut_off_as_it_was_written_is_lost_after_a_while(folder: str) -> None:
  run = next(iter(plan.read(folder).runs))
  path = f'{folder}/claims/{run}.0.json'
  places.replace(path, '')
  assert states(folder)[0] == 'running'
  os.utime(path, (time.time() - 100,) * 2)
  assert states(folder)[0] == 'stale'


def test_who_waits_takes_up_what_another_loses(folder: str) -> None:
  runs = list(plan.read(folder).runs)
  claims.take(folder, runs[0], 0, 0.3)
  elsewhere(folder, runs[0])
  trained = Trained()
  work.work(folder, term=0.5, train=trained)
  assert trained.runs == [*runs[1:], runs[0]]


def test_a_claim_is_renewed_until_it_is_lost(folder: str) -> None:
  lease, lost = claims.take(folder, 'run', 0, 0.2), threading.Event()
  with lease.kept(lost.set):
    before = claims.history(folder, 'run')[0].expires
    assert not lost.wait(0.3)
    assert claims.history(folder, 'run')[0].expires > before + 0.1
    claims.take(folder, 'run', 1, TERM)
    assert lost.wait(5)
  assert [claim.state for claim in claims.history(folder, 'run')] == ['running'] * 2


def test_a_failed_run_keeps_its_error_and_is_tried_again_if_asked(
  folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
  runs = list(plan.read(folder).runs)

  def fate(run: str) -> None:
    if run == runs[0]:
      raise UserError('training diverged')
    if run == runs[1]:
      raise ValueError('a bug')

  trained = Trained(fate)
  work.work(folder, term=TERM, train=trained)
  assert states(folder) == ['failed', 'failed', 'done']
  assert places.read(f'{folder}/runs/{runs[0]}/error.txt') == 'training diverged\n'
  assert 'Traceback' in places.read(f'{folder}/runs/{runs[1]}/error.txt')
  said = table.status(plan.read(folder), folder)
  assert f'{runs[0]} failed: training diverged' in said
  assert f'{runs[1]} failed: ValueError: a bug' in said
  assert f'run {runs[0]} failed: training diverged' in capsys.readouterr().err
  work.work(folder, term=TERM, train=trained)
  assert trained.runs == runs
  work.work(folder, term=TERM, retry_failed=True, train=Trained(fate))  # Each once.
  assert states(folder) == ['failed', 'failed', 'done']
  work.work(folder, term=TERM, retry_failed=True, train=Trained())
  assert states(folder) == ['done'] * 3
  assert places.read(f'{folder}/runs/{runs[0]}/error.txt') is None


def test_a_worker_that_is_told_to_stop_gives_its_run_back(folder: str) -> None:
  def preempted(run: str) -> None:
    raise Preempted('stopped at step 1')

  with pytest.raises(Preempted):
    work.work(folder, term=TERM, train=Trained(preempted))
  assert states(folder) == ['waiting'] * 3
  with pytest.raises(SystemExit, match='75'):
    work.work(folder, term=TERM, train=Trained(lambda run: os.kill(os.getpid(), signal.SIGTERM)))
  assert states(folder) == ['waiting'] * 3
  trained = Trained()
  work.work(folder, term=TERM, train=trained)
  assert len(trained.runs) == 3


def test_all_runs_that_nobody_has_are_trained_together(folder: str) -> None:
  runs = list(plan.read(folder).runs)
  claims.take(folder, runs[1], 0, TERM)  # Another worker's.
  asked = []

  def train_all(name: str, words: list[list[str]]) -> list[object]:
    asked.append([own[-1].rpartition('/')[2] for own in words])
    assert states(folder) == ['running'] * 3
    finished(f'{folder}/runs/{runs[0]}', 0.9, 0.5)
    return [{}, UserError('training diverged')]

  work.work(folder, term=TERM, wait=False, train_all=train_all)
  assert asked == [[runs[0], runs[2]]]
  assert states(folder) == ['done', 'running', 'failed']
  assert places.read(f'{folder}/runs/{runs[2]}/error.txt') == 'training diverged\n'


def test_runs_that_are_stopped_or_fail_together_are_each_given_back_or_failed(folder: str) -> None:
  def stopped(*_: object) -> list[object]:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(5)
    return []

  with pytest.raises(SystemExit, match='75'):
    work.work(folder, term=TERM, train_all=stopped)
  assert states(folder) == ['waiting'] * 3
  work.work(folder, term=TERM, wait=False, train_all=lambda *_: [1 / 0])
  assert states(folder) == ['failed'] * 3


def test_what_may_have_killed_a_worker_comes_one_by_one(folder: str) -> None:
  runs, asked = list(plan.read(folder).runs), []
  for run in runs[:2]:
    claims.take(folder, run, 0, TERM)
    elsewhere(folder, run, expires=time.time() - 1)

  def train_all(name: str, words: list[list[str]]) -> list[object]:
    asked.append([own[-1].rpartition('/')[2] for own in words])
    for run in asked[-1]:
      finished(f'{folder}/runs/{run}', 0.9, 0.5)
    return [{}] * len(words)

  work.work(folder, term=TERM, train_all=train_all)
  assert asked == [[runs[2]], [runs[0]], [runs[1]]]
