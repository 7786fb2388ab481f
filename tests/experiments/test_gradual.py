"""A sequence of domains: each step begins where the one before ended."""

import json
from pathlib import Path

import numpy as np
import pytest

from experiments import gradual
from tlda.errors import UserError


def test_each_domain_starts_from_the_one_before(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  words = ['gradual', '--source=moons/0', '--through=moons/5,moons/10', '--target=moons/15']
  words += ['--steps=20', '--eval_every=20', '--batch_size=32', '--report=false']
  result = gradual.launch([*words, f'--workdir={tmp_path}'])
  assert (result['source'], result['target']) == (['moons/0'], 'moons/15')
  config = lambda folder: json.loads((folder / 'config.json').read_text())['flags']
  first, second = tmp_path / '1-moons_5', tmp_path / '2-moons_10'
  assert config(first)['init_from'] is None
  assert config(first / 'source_only')['method'] == 'source_only'
  assert config(second)['init_from'] == str(first)
  assert config(tmp_path)['init_from'] == str(second)
  assert gradual.named(config(tmp_path)) == 'gradual_self_training'
  assert gradual.named(config(first)).endswith('in one step')
  capsys.readouterr()
  assert gradual.launch([*words, f'--workdir={tmp_path}']) == result
  assert capsys.readouterr().out.count('is finished') == 4  # The first stage too.


def test_domains_need_not_have_equally_many_examples(tmp_path: Path) -> None:
  labels = np.arange(60) % 2
  inputs = np.stack([2.0 * labels, np.arange(60) / 60], axis=1).astype(np.float32)
  for count in (60, 50, 40):
    split = {'x_train': inputs[:count], 'y_train': labels[:count]}
    np.savez(tmp_path / f'{count}.npz', **split, x_test=inputs[:20], y_test=labels[:20])
  source, between, target = (f'npz:{tmp_path}/{count}.npz' for count in (60, 50, 40))
  words = ['gradual', f'--source={source}', f'--through={between}', f'--target={target}']
  words += ['--steps=10', '--batch_size=16', '--report=false', f'--workdir={tmp_path}/run']
  result = gradual.launch(words)
  assert result['data'][target]['examples']['train'] == 40


def test_flags_are_read_in_two_words_and_in_files(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  launched: list[list[str]] = []
  monkeypatch.setattr(
    gradual.common, 'launch', lambda _, words: launched.append(list(words)) or {'target': ''}
  )
  (tmp_path / 'flags').write_text('--through=moons/5\n--workdir=w\n')
  gradual.launch(['gradual', '--init_from', 'start', f'--flagfile={tmp_path}/flags'])
  assert launched[0][-3:] == ['--target=moons/5', '--workdir=w/1-moons_5', '--init_from=start']
  assert launched[1][-2:] == ['--workdir=w', '--init_from=w/1-moons_5']
  launched.clear()
  with pytest.raises(UserError, match="unknown domain 'moons/1O'"):
    gradual.launch(['gradual', '--through', 'moons/10,moons/1O', '--workdir', 'w'])
  assert not launched
  assert gradual.launch(['gradual', '--help']) is None
  assert '  --through=\n' in capsys.readouterr().out
