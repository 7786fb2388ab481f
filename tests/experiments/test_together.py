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
  (error,) = launch(['--method=dann', '--dann.weight=0.7', at('a')])  # and are their owner's.
  assert 'belongs to a run with another configuration' in str(error)


def test_what_cannot_be_trained_with_others_is_trained_alone(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  (found,) = launch(['--method=adda', '--report=false', f'--workdir={tmp_path / "run"}'])
  assert 'is trained alone: it has a first stage' in capsys.readouterr().out
  assert found['method'] == 'adda'
  assert (tmp_path / 'run' / 'checkpoints').exists()


def test_what_goes_wrong_with_one_run_leaves_the_others_alone(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  at = lambda name: f'--workdir={tmp_path / name}'
  found = launch(
    ['--method=dam', at('a')],
    ['--method=dann', '--multihost', at('b')],
    ['--method=adda', '--learning_rate=1e30', '--report=false', at('c')],
    ['--method=cmd', '--cmd.span=1', at('d')],
    ['--method=cmd', '--cmd.span=2', at('e')],
    ['--method=dann', at('f')],
  )
  assert "unknown method 'dam'" in str(found[0])
  assert '--multihost is not for runs' in str(found[1])
  assert 'training diverged' in str(found[2])
  assert [each['method'] for each in found[3:]] == ['cmd', 'cmd', 'dann']
  assert f'{tmp_path}/d is trained alone: CMD decides by the value of span' in (
    capsys.readouterr().out
  )
  with pytest.raises(UserError, match='is that of several runs'):
    launch(['--method=dann', at('g')], ['--method=dann', '--dann.weight=0.1', at('g')])


def test_a_strategy_s_numbers_are_not_the_method_s(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  rows = [
    [
      '--method=mixup',
      '--transfer=l2_sp',
      f'--l2_sp.alpha={alpha}',
      f'--workdir={tmp_path / alpha}',
    ]
    for alpha in ('0.001', '5')
  ]
  launch(*rows)
  assert capsys.readouterr().out.count('training 1 runs together') == 2


def test_a_large_group_is_several_programs(
  tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setattr('tlda.training.grid.most', lambda run: 2)
  monkeypatch.setattr(
    'tlda.training.grid.fit_together', lambda runs: [{'at': str(run.workdir)} for run in runs]
  )
  commands = [['--method=dann', f'--workdir={tmp_path}/{number}'] for number in range(3)]
  found = launch(*commands, ['--method=dann', '--seeds=3', f'--workdir={tmp_path}/3'])
  assert [each['at'] for each in found] == [f'{tmp_path}/{number}' for number in range(4)]
  said = [line for line in capsys.readouterr().out.splitlines() if line.startswith('training')]
  assert said == ['training 2 runs together'] + 2 * ['training 1 runs together']


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
  folder = tmp_path / 'amazon/dvd' / 'weight_1'
  (folder / 'metrics.jsonl').write_text('{"step": 1, "accuracy/target_test": [0.5]}\n')
  with pytest.raises(UserError, match='was trained without --validators=reverse_validation'):
    amazon._score({'config': {'flags': {'workdir': str(folder)}}})


def test_a_method_named_in_a_file_of_flags_is_the_one_that_runs(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setattr('experiments.shallow.launch', lambda _, words: {'shallow': words})
  monkeypatch.setattr('experiments.common.launch', lambda _, words: {'network': words})
  (tmp_path / 'svm.flags').write_text('--method=svm\n')
  (tmp_path / 'dann.flags').write_text('--method=dann\n')
  asked = lambda name: ['amazon', f'--flagfile={tmp_path / name}.flags', '--report=false']
  assert amazon.launch(asked('svm')) == {'shallow': asked('svm')[:2]}  # An SVM has no page.
  assert amazon.launch(asked('dann')) == {'network': asked('dann')}
