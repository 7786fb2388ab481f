"""Tables are made row by row, onto what is there."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from experiments import fine_tune, methods_digits
from experiments.rows import folder, slug
from scripts import reproduce
from tlda.errors import UserError


def at(arguments: list[str], name: str = 'digits') -> str:
  return f'--workdir={folder(name, arguments)}'


def result(arguments: list[str], accuracy: float) -> dict[str, Any]:
  flags = dict(flag.lstrip('-').split('=', 1) for flag in arguments)
  return {
    'protocol': 'digits/full',
    'method': flags['method'],
    'source': [flags['source']],
    'target': flags['target'],
    'seeds': [0, 1],
    'published': None,
    'data': {},
    'accuracy': {'target_test': [accuracy, accuracy]},
    'selected': {},
    'config': {'flags': flags, 'command': f'python -m x {at(arguments)}', 'commit': 'abc'},
  }


def test_rows_are_replaced_and_the_others_stay(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  (tmp_path / 'README.md').write_text('<!-- results:digits -->\n<!-- /results:digits -->\n')
  monkeypatch.setattr(reproduce, 'ROOT', tmp_path)
  monkeypatch.setattr(reproduce, 'run', lambda _, arguments: result(arguments, 0.5))
  reproduce.reproduce('digits', None, draw=False)
  path = tmp_path / 'experiments' / 'results' / 'digits.json'
  before = json.loads(path.read_text())
  monkeypatch.setattr(reproduce, 'run', lambda _, arguments: result(arguments, 0.75))
  reproduce.reproduce('digits', 'dann', draw=False)
  after = json.loads(path.read_text())
  assert [row['method'] for row in after] == [row['method'] for row in before]
  means = {(row['method'], row['target']): row['target_test_mean'] for row in after}
  assert means['dann', 'usps'] == 0.75
  assert means['source_only', 'usps'] == 0.5
  assert '75.00' in (tmp_path / 'README.md').read_text()


def test_a_row_may_be_named_by_what_it_tries() -> None:
  flags = {'transfer': 'lora', 'weights': 'x', 'method': 'target_only'}
  assert reproduce.named(fine_tune, flags) == 'lora'
  assert reproduce.named(fine_tune, flags | {'weights': ''}) == 'from_scratch'
  slower = flags | {'transfer': 'fine_tune', 'fine_tune.backbone_rate': 0.1}
  assert reproduce.named(fine_tune, slower) == 'fine_tune, backbone at a tenth'
  frozen = reproduce.named(fine_tune, slower | {'normalization': 'frozen'})
  assert frozen == 'fine_tune, backbone at a tenth, frozen statistics'
  assert reproduce.named(methods_digits, flags) == 'target_only'


def test_rows_stand_as_the_table_lists_their_runs_and_others_behind() -> None:
  rows = reproduce.rows_of('fine_tune', None)
  key = reproduce._order('fine_tune')
  commands = [shlex.join(['python', at(row, 'fine_tune'), '--report=false']) for row in rows]
  assert [key({'command': command}) for command in commands] == list(range(len(rows)))
  assert key({'command': 'python --workdir=runs/tables/fine_tune/elsewhere'}) == len(rows)


def test_a_stream_makes_a_row_for_each_of_its_domains(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  (tmp_path / 'README.md').write_text('only a link\n')
  monkeypatch.setattr(reproduce, 'ROOT', tmp_path)
  measured = {'samples': 200, 'sha256': 'a' * 64, 'error': [0.3, 0.5], 'source_error': [0.7, 0.9]}

  def found(name: str, arguments: list[str]) -> dict[str, Any]:
    flags = dict(flag.lstrip('-').split('=', 1) for flag in arguments)
    return {
      'protocol': f'test_time/reset {flags["reset"]}',
      'method': flags['method'],
      'seeds': [0, 1],
      'domains': [{'domain': domain, **measured} for domain in ('a', 'b', 'c', 'd')],
      'config': {'source': 'x', 'command': f'x {at(arguments, name)}', 'commit': None},
    }

  monkeypatch.setattr(reproduce, 'run', found)
  reproduce.reproduce('test_time', None, draw=False)
  path = tmp_path / 'experiments' / 'results' / 'test_time.json'
  rows = json.loads(path.read_text())
  assert len(rows) == 3 * 4 * (1 + 6)
  assert [row['method'] for row in rows[:8]] == 4 * ['source_only'] + 4 * ['batch_norm_adaptation']
  assert [row['target_test_mean'] for row in (rows[0], rows[4])] == [0.8, 0.4]
  drawn = path.with_suffix('.md').read_text()
  assert drawn.count(': error in percent on the target test examples') == 3
  assert drawn.count('| source_only | 80.00') == 3
  assert '| tent | 40.00 ± 14.14' in drawn


def test_unknown_tables_and_methods() -> None:
  with pytest.raises(UserError, match="unknown table 'digit': did you mean 'digits'"):
    reproduce.rows_of('digit', None)
  with pytest.raises(UserError, match="did you mean 'dann'"):
    reproduce.rows_of('digits', 'dan')


def test_a_row_is_found_by_its_method_or_by_what_it_is_called() -> None:
  assert {row[-1] for row in reproduce.rows_of('fine_tune', 'lora')} == {'--transfer=lora'}
  assert len(reproduce.rows_of('text', 'dann')) == 4
  assert len(reproduce.rows_of('text', 'dann, encoder frozen')) == 2
  with pytest.raises(UserError, match="unknown row of this table 'lroa': did you mean 'lora'"):
    reproduce.rows_of('fine_tune', 'lroa')


def test_what_cannot_be_drawn_or_written_is_said(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setattr(reproduce, 'ROOT', tmp_path)
  with pytest.raises(UserError, match='office31.json has no rows to draw'):
    reproduce.reproduce('office31', None, draw=True)
  assert not list(tmp_path.iterdir())
  (tmp_path / 'experiments').write_text('')
  monkeypatch.setattr(reproduce, 'run', None)  # It is said before anything is run.
  with pytest.raises(UserError, match='cannot be written'):
    reproduce.reproduce('digits', None, draw=False)


def test_rules_and_notes_of_a_table_become_rows_of_their_own(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  (tmp_path / 'README.md').write_text('only a link\n')
  monkeypatch.setattr(reproduce, 'ROOT', tmp_path)
  monkeypatch.setattr(methods_digits, 'NOTES', {'dann': 'a remark'})
  found = lambda arguments: (
    result(arguments, 0.5) | {'selected': {'source_accuracy': [0.4, 0.4], 'oracle': [0.6, 0.6]}}
  )
  monkeypatch.setattr(reproduce, 'run', lambda _, arguments: found(arguments))
  reproduce.reproduce('methods_digits', 'dann', draw=False)
  rows = json.loads((tmp_path / 'experiments/results/methods_digits.json').read_text())
  assert [row['selection'] for row in rows] == 2 * ['last', 'source_accuracy', 'oracle']
  assert {row['note'] for row in rows} == {'a remark'}
  assert (tmp_path / 'README.md').read_text() == 'only a link\n'


def test_each_run_of_a_table_has_a_folder_of_its_own() -> None:
  for name in reproduce.TABLES:
    slugs = [slug(row) for row in reproduce.rows_of(name, None)]
    assert len(set(slugs)) == len(slugs)
    assert not any('/' in own for own in slugs)
