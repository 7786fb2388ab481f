"""The demo from flags to page, a few steps of it."""

import json
from pathlib import Path

import pytest

from experiments import demo
from tlda.errors import UserError


def test_demo_writes_three_results_and_a_page(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  monkeypatch.chdir(tmp_path)
  short = ['--steps=4', '--seeds=2', '--eval_every=2', '--batch_size=16', '--backbone=mlp']
  demo.demo(['demo', *short])
  said = capsys.readouterr().out
  for method in demo.METHODS:
    result = json.loads((tmp_path / 'runs' / 'demo' / method / 'result.json').read_text())
    assert result['method'] == method
    assert len(result['accuracy']['target_test']) == 2
    assert f'{method} {result["source"][0]} -> {result["target"]}' in said
  page = (tmp_path / 'runs' / 'demo' / 'index.html').read_text()
  assert all(method in page for method in demo.METHODS)
  assert (tmp_path / 'runs' / 'demo' / 'index.html').as_uri() in said


def test_the_folder_may_be_another_and_no_run_is_no_page(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  launched: list[str] = []
  monkeypatch.setattr(demo, 'launch', lambda _, words: launched.append(words[-1]))
  (tmp_path / 'flags').write_text('--workdir=w\n')
  for words in (['--workdir', 'w'], [f'--flagfile={tmp_path}/flags']):
    demo.demo(['demo', '--dry_run', *words])
    assert launched.pop() == '--workdir=w/source_only'
  assert not launched


def test_demo_says_that_it_chooses_methods(tmp_path: Path) -> None:
  (tmp_path / 'flags').write_text('--method=dann\n')
  for word in ('--method=dann', f'--flagfile={tmp_path}/flags'):
    with pytest.raises(UserError, match='the demo trains source_only, dann, target_only'):
      demo.demo(['demo', word])
