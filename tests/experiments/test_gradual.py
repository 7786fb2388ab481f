"""A sequence of domains: each step begins where the one before ended."""

import json
from pathlib import Path

import pytest

from experiments import gradual


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
