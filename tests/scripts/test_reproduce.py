"""Tables are made row by row, onto what is there."""

import json
from pathlib import Path
from typing import Any

import pytest

from experiments import fine_tune, methods_digits
from scripts import reproduce
from tlda.errors import UserError


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
    'config': {'flags': flags, 'command': 'python -m experiments.digits', 'commit': 'abc'},
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
  assert reproduce.named(methods_digits, flags) == 'target_only'
  rows = reproduce.rows_of('fine_tune', None)
  key = reproduce._order('fine_tune')
  flags = [dict(flag.lstrip('-').split('=', 1) for flag in row) for row in rows]
  defaults = fine_tune.EXPERIMENT.defaults
  made = [
    {
      'method': fine_tune.named({**defaults, **own}),
      'source': [defaults['target']],
      'target': defaults['target'],
      'protocol': own['protocol'],
    }
    for own in flags
  ]
  assert [key(row) for row in made] == list(range(len(rows)))


def test_unknown_tables_and_methods() -> None:
  with pytest.raises(UserError, match="unknown table 'digit': did you mean 'digits'"):
    reproduce.rows_of('digit', None)
  with pytest.raises(UserError, match="did you mean 'dann'"):
    reproduce.rows_of('digits', 'dan')


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
    slugs = [reproduce.slug(row) for row in reproduce.rows_of(name, None)]
    assert len(set(slugs)) == len(slugs)
    assert not any('/' in slug for slug in slugs)


def test_baselines_come_first_and_again_under_their_other_protocol() -> None:
  key = reproduce._order('methods_digits')
  pair = {'source': ['adda/mnist'], 'target': 'adda/usps'}
  row = lambda method, protocol='digits/adda': key(pair | {'method': method, 'protocol': protocol})
  assert row('source_only') == 0
  assert row('source_only') < row('target_only') < row('adamatch') < row('wdgrl')
  assert row('wdgrl') < row('source_only', 'digits/adda-bn') < row('adabn', 'digits/adda-bn')
