"""Whole tables against PyTorch: what each side is asked, and what is reckoned from it."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import digits
from scripts import _benchmark_tables, benchmark_tables
from scripts.benchmark_tables import TABLES, Table, arrays
from tlda.errors import UserError

TINY = Table(
  about='two methods on moons',
  experiment=digits.EXPERIMENT,
  shared={
    'backbone': 'mlp', 'protocol': 'custom/moons', 'steps': 4, 'batch_size': 16, 'momentum': 0.9,
    'eval_every': 4, 'log_every': 4, 'seeds': 2, 'validators': 'none',
  },
  runs=(
    {'method': 'source_only', 'source': 'moons/0', 'target': 'moons/10', 'learning_rate': 0.1},
    *(
      {'method': 'dann', 'source': 'moons/0', 'target': 'moons/10', 'learning_rate': 0.1,
       'weight': weight}
      for weight in (0.1, 0.5, 1.0)
    ),
  ),
  hidden=(100,),
  samples=1,
)  # fmt: skip


def test_a_table_is_trained_together(
  tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setattr(benchmark_tables, 'TABLES', {'tiny': TINY})
  monkeypatch.setattr(sys, 'argv', ['benchmark_tables', 'tiny', str(tmp_path)])
  monkeypatch.setattr('jax.config.update', lambda *_: None)
  benchmark_tables.main()
  said = json.loads(capsys.readouterr().out.splitlines()[-1])
  assert said['seconds'] > 0
  assert said['target_accuracy'].keys() == {'source_only', 'dann'}
  results = [json.loads((tmp_path / str(n) / 'result.json').read_text()) for n in range(4)]
  assert [each['config']['flags'].get('dann.weight') for each in results] == [None, 0.1, 0.5, 1.0]
  assert all(len(each['seeds']) == 2 for each in results)


def test_pytorch_is_given_the_same_problem() -> None:
  runs = _benchmark_tables._samples(TINY)
  spec = _benchmark_tables.specification(TINY, runs)
  assert [(run['method'], run['weight']) for run in spec['runs']] == [
    ('source_only', 0.0),
    ('dann', 0.1),
  ]
  assert {key: spec[key] for key in ('steps', 'batch_size', 'momentum', 'eval_every')} == {
    'steps': 4,
    'batch_size': 16,
    'momentum': 0.9,
    'eval_every': 4,
  }
  found = arrays(TINY)
  assert found.keys() == {
    f'moons/{angle}/{split}_{what}'
    for angle in (0, 10)
    for split in ('train', 'test')
    for what in ('inputs', 'labels')
  }
  assert found['moons/0/train_inputs'].dtype == np.float32


def test_all_trainings_are_reckoned_from_those_that_were_timed() -> None:
  runs = _benchmark_tables._samples(TINY)
  # One run of source_only with two seeds, three of dann.
  assert _benchmark_tables.reckon(TINY, runs, [1.0, 5.0]) == 2 * 1.0 + 6 * 5.0


def test_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
  about = {'device': {'kind': 'cpu'}, 'versions': {'jax': '1.2'}}
  answers = {'tlda': iter([10.0, 20.0]), 'torch': iter([100.0, 300.0, 400.0, 200.0])}

  def answer(command: list[str]) -> dict[str, Any]:
    if 'scripts.benchmark_tables' in command:
      return {'seconds': next(answers['tlda']), **about}
    count = len(json.loads(Path(command[-1]).read_text())['runs'])
    return {'seconds': [next(answers['torch']) / 8] * count, 'torch': '2.x', 'threads': 1}

  monkeypatch.setattr(_benchmark_tables, 'TABLES', {'tiny': TINY})
  monkeypatch.setattr(_benchmark_tables, '_answer', answer)
  monkeypatch.setattr(_benchmark_tables._workers, 'torch', lambda python, *_: (python,))
  result = _benchmark_tables.measure('python', 2, 0.0)
  result |= {'command': 'x', 'commit': 'y', 'cores': 2, 'load': 0.5, 'rounds': 2}
  drawn = _benchmark_tables.markdown(result)
  # The faster number of threads counts, and a ratio is taken within a round: 10 and 10.
  assert '| tiny | 8 | 15.0 | 10.0, 20.0 | 150.0 | 100.0, 200.0 | 10.0 |' in drawn
  assert '- 2 rounds, on cpu, 2 cores' in drawn
  assert '- jax 1.2; torch 2.x' in drawn


def test_without_pytorch_there_is_nothing_to_compare_with() -> None:
  with pytest.raises(UserError, match='give --torch_python'):
    _benchmark_tables.measure(None, 1, 0.0)


def test_the_tables_are_as_large_as_they_say() -> None:
  assert len(TABLES['amazon'].runs) == 5 * 12
  assert len(TABLES['moons'].runs) == 9 * 5 * 3
