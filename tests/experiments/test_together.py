"""Command lines that are trained together, and the table that is made of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from experiments import amazon, digits, together
from tlda.errors import UserError

BASE = (
  '--source=moons/0', '--target=moons/40', '--backbone=mlp', '--steps=4', '--batch_size=16',
  '--validators=none',
)  # fmt: skip


def launch(*commands: list[str]) -> list[Any]:
  return together.launch(digits.EXPERIMENT, [['digits', *BASE, *words] for words in commands])


def test_what_fits_is_one_program_and_the_rest_is_said(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  at = lambda name: f'--workdir={tmp_path / name}'
  commands = [
    ['--method=dann', '--dann.weight=0.5', at('a')],
    ['--method=dann', '--dann.weight=0.1', '--target=moons/10', at('b')],
    ['--method=source_only', at('c')],
  ]
  found = launch(*commands)
  said = capsys.readouterr().out
  assert 'training 2 runs together' in said
  assert 'training 1 runs together' in said
  assert [each['target'] for each in found] == ['moons/40', 'moons/10', 'moons/40']
  assert [each['trained_together'] for each in found] == [2, 2, 1]
  assert found[0]['config']['command'].startswith('python -m experiments.digits --source=moons/0')
  assert launch(*commands) == found  # Finished runs are left alone,
  with pytest.raises(UserError, match='belongs to a run with another configuration'):
    launch(['--method=dann', '--dann.weight=0.7', at('a')])  # and are their owner's.


def test_what_cannot_be_trained_with_others_is_trained_alone(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  (found,) = launch(['--method=adda', '--report=false', f'--workdir={tmp_path / "run"}'])
  assert 'is trained alone: it has a first stage' in capsys.readouterr().out
  assert found['method'] == 'adda'
  assert (tmp_path / 'run' / 'checkpoints').exists()


def test_a_mistake_is_said_before_anything_is_trained(tmp_path: Path) -> None:
  good, bad = (f'--workdir={tmp_path / name}' for name in ('good', 'bad'))
  with pytest.raises(UserError, match="unknown method 'dam'"):
    launch(['--method=dann', good], ['--method=dam', bad])
  with pytest.raises(UserError, match='--multihost is not for runs'):
    launch(['--method=dann', '--multihost', good])
  assert not (tmp_path / 'good').exists()


def test_a_weight_is_chosen_for_each_pair_by_reverse_validation(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  best, asked = {'amazon/dvd': 0.3, 'amazon/books': 0.1}, []

  def trained(_: object, commands: list[list[str]]) -> list[Any]:
    asked.append(commands)
    found = []
    for words in commands:
      flags = dict(word.lstrip('-').split('=', 1) for word in words[1:])
      folder, weight = Path(flags['workdir']), float(flags['dann.weight'])
      folder.mkdir(parents=True, exist_ok=True)
      right = weight == best[flags['target']]
      # The highest accuracy is another's: it must not choose.
      record = {'step': 1, 'accuracy/target_test': [0.5 - right, 0.5 - right],
                'accuracy/source_test': [0.5, 0.5],
                'validator/reverse_validation': [0.7 + 0.1 * right, 0.7]}  # fmt: skip
      (folder / 'metrics.jsonl').write_text(json.dumps(record) + '\n')
      found.append({'config': {'flags': {'workdir': str(folder)}}})
    return found

  monkeypatch.setattr(together, 'launch', trained)
  pairs = (('amazon/books', 'amazon/dvd'), ('amazon/dvd', 'amazon/books'))
  rows = [
    ['amazon', '--method=dann', f'--source={s}', f'--target={t}', f'--workdir={tmp_path / t}']
    for s, t in pairs
  ]
  amazon.launch_all(rows)
  trials, final = asked
  assert len(trials) == 6
  assert all('--seeds=2' in words for words in trials)
  assert [words[-1] for words in final] == ['--dann.weight=0.3', '--dann.weight=0.1']
  assert [words[:-1] for words in final] == rows
