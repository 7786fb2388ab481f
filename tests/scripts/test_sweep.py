"""A sweep from its command line: planned, trained, and reported."""

import json
import sys
from pathlib import Path

import pytest

from experiments.sweeps import crew
from scripts import sweep

WORDS = (
  'digits',
  '--source=moons/0',
  '--target=moons/40',
  '--backbone=mlp',
  '--steps=4',
  '--batch_size=16',
  '--validators=none',
  '--select=source_accuracy',
)


def test_one_command_plans_trains_and_reports(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  folder = tmp_path / 's'
  assert sweep.main(['sweep', *WORDS, '--budget=1', f'--folder={folder}']) == 0
  said = capsys.readouterr().out
  assert '1 different runs of 1 drawings' in said
  assert '1 done, 0 running, 0 failed, 0 stale, 0 waiting' in said
  result = json.loads((folder / 'sweep.json').read_text())
  (run,) = result['runs']
  own = json.loads((folder / 'runs' / run['id'] / 'result.json').read_text())
  assert own['config']['flags']['dann.weight'] == run['drawn']['dann.weight']
  assert own['selected']['source_accuracy'] == run['accuracy']['source_accuracy']
  assert result['choices'][0]['chosen'] == {'source_accuracy': run['id'], 'oracle': run['id']}
  assert sweep.main(['sweep', 'work', str(folder)]) == 0
  assert capsys.readouterr().out == ''  # Nothing is left to train.


def test_runs_of_a_sweep_are_trained_together(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  words = [*WORDS, '--range=learning_rate=log:0.01:0.1', '--together', '--seeds=2']
  assert sweep.main(['sweep', *words, '--budget=3', f'--folder={tmp_path}']) == 0
  assert 'training 3 runs together' in capsys.readouterr().out
  runs = json.loads((tmp_path / 'sweep.json').read_text())['runs']
  results = [json.loads((tmp_path / 'runs' / r['id'] / 'result.json').read_text()) for r in runs]
  assert [result['trained_together'] for result in results] == [3] * 3
  for run, result in zip(runs, results, strict=True):
    assert result['config']['flags']['learning_rate'] == run['drawn']['learning_rate']


@pytest.mark.parametrize(
  ('words', 'sentence'),
  [
    (['work'], 'say which sweep'),
    (['status', '/no/such'], 'is no sweep'),
    (['digits', '--range=dann.wait=log:1:2'], "did you mean 'dann.weight'"),
    (['digits', '--source=moons/1'], "unknown domain 'moons/1'"),
    ([*WORDS, '--source=moons/40'], 'measures the source, which is the target here'),
    ([*WORDS, '--workers=0'], '--workers must be 1 or above'),
    (['plan', *WORDS, '--stale_after=-1'], '--stale_after above 0'),
    ([*WORDS, '--folder=/dev/null'], '--folder=/dev/null cannot be written: File exists'),
    (['status', '/dev/null'], '/dev/null is no sweep'),
    (['statsu', '/no/such'], "unknown experiment or command 'statsu': did you mean 'status'"),
  ],
)
def test_mistakes_leave_with_code_2_and_one_sentence(
  words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  has_folder = words[0] in ('work', 'status', 'statsu') or '--folder=/dev/null' in words
  own = [] if has_folder else [f'--folder={tmp_path}']
  assert sweep.main(['sweep', *words, *own]) == 2
  said = capsys.readouterr().err
  assert sentence in said
  assert len(said.splitlines()) == 1
  assert not list(tmp_path.iterdir())  # The next command is not refused.


def test_help_lists_the_flags(capsys: pytest.CaptureFixture[str]) -> None:
  assert sweep.main(['sweep', 'work', '--help=true']) == 0
  said = capsys.readouterr().out
  for name in ('budget', 'sweep_seed', 'folder', 'range', 'workers', 'stale_after'):
    assert f'  --{name}' in said


def test_a_crew_says_who_says_what_and_how_it_ended(capsys: pytest.CaptureFixture[str]) -> None:
  assert crew.run([sys.executable, '-Sc', 'print("hello")'], 2) == 0
  assert sorted(capsys.readouterr().out.splitlines()) == ['[0] hello', '[1] hello']
  code = 'import os, signal; os.kill(os.getpid(), signal.SIGKILL)'
  assert crew.run([sys.executable, '-Sc', code], 1) == 1
  assert 'killed by signal 9' in capsys.readouterr().err
  assert crew.run([sys.executable, '-Sc', 'raise SystemExit(75)'], 2) == 75
