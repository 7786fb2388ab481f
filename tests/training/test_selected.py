"""The state that a selection rule keeps for each seed."""

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest

from tests import toys
from tests.problem import make_run
from tlda.errors import UserError
from tlda.methods import SourceOnly
from tlda.training import checkpoint
from tlda.training.checkpoint import Checkpoints
from tlda.training.fit import Trainer, fit
from tlda.training.logs import read
from tlda.training.run import Run, claim, refuse
from tlda.training.selected import Chosen


def offer(chosen: Chosen, step: int, *scores: float) -> None:
  states = [{'step': np.full(2, 10 * step + seed)} for seed in range(len(scores))]
  chosen.offer(step, {'accuracy/source_test': list(scores)}, states, together=False)


def test_each_seed_keeps_its_best_and_of_equals_the_latest(tmp_path: Path) -> None:
  chosen = Chosen(tmp_path, 'source_accuracy')
  offer(chosen, 1, 0.5, 0.9)
  offer(chosen, 2, 0.7, 0.8)
  offer(chosen, 3, 0.7, 0.1)
  offer(chosen, 4, 0.2, 0.3)
  chosen.close()
  step, arrays, note = Checkpoints(tmp_path).latest()
  assert step == 3
  np.testing.assert_array_equal(arrays['step'], [[30, 30], [11, 11]])
  assert note['scores'] == [0.7, 0.9]


def test_a_resumed_run_that_offers_again_changes_nothing(tmp_path: Path) -> None:
  for _ in range(2):
    chosen = Chosen(tmp_path, 'source_accuracy')
    offer(chosen, 1, 0.5, 0.9)
    offer(chosen, 2, 0.7, 0.8)
    chosen.close()
  step, arrays, _ = Checkpoints(tmp_path).latest()
  assert step == 2
  np.testing.assert_array_equal(arrays['step'], [[20, 20], [11, 11]])


def test_a_run_keeps_the_chosen_and_the_next_stage_starts_from_it(tmp_path: Path) -> None:
  options = {'steps': 8, 'seeds': (0, 1)}
  run = make_run(SourceOnly, tmp_path / 'run', **options)
  fit(dataclasses.replace(run, select='source_accuracy'))
  kept = Checkpoints(tmp_path / 'run' / 'selected').latest()[1]
  records = [r for r in read(tmp_path / 'run' / 'metrics.jsonl') if 'accuracy/source_test' in r]
  accuracy = np.array([record['accuracy/source_test'] for record in records])
  best = [max(range(len(records)), key=lambda at: (accuracy[at, seed], at)) for seed in (0, 1)]
  assert kept['step'].tolist() == [records[at]['step'] for at in best]

  trainer = Trainer(make_run(toys.Bank, tmp_path / 'b', seeds=(1,), initial=tmp_path / 'run'))
  start = checkpoint.flatten(trainer._created()[0])
  np.testing.assert_array_equal(
    start['params.head.logits.kernel'], kept['params.head.logits.kernel'][1]
  )
  assert jax.tree.leaves(start)


def test_no_such_rule(tmp_path: Path) -> None:
  run = dataclasses.replace(make_run(SourceOnly, tmp_path / 'run'), select='source_acuracy')
  with pytest.raises(UserError, match="'source_acuracy': did you mean 'source_accuracy'"):
    refuse(run)


def test_by_the_last_step_nothing_is_kept(tmp_path: Path) -> None:
  fit(make_run(SourceOnly, tmp_path / 'last'))
  assert not (tmp_path / 'last' / 'selected').exists(), 'the last step is the last checkpoint'


def test_a_run_from_step_0_has_chosen_nothing_yet(tmp_path: Path) -> None:
  """A run that is killed before its first checkpoint leaves what it chose, also to another."""
  claim(make_run(SourceOnly, tmp_path), writes=True)
  Checkpoints(tmp_path / 'selected').save(8, {'step': np.int32(8)}, {'scores': [0.9]})
  (tmp_path / 'checkpoints' / '4').mkdir(parents=True)
  claim(make_run(SourceOnly, tmp_path), writes=True)
  assert (tmp_path / 'selected' / '8').exists()
  (tmp_path / 'checkpoints' / '4').rmdir()
  claim(make_run(SourceOnly, tmp_path), writes=True)
  assert not (tmp_path / 'selected').exists()


def test_what_is_chosen_from_stays_the_same_steps(tmp_path: Path) -> None:
  """The kept state would otherwise be of a step that `result.json` does not choose among."""

  def run(rule: str, every: int) -> Run:
    own = make_run(SourceOnly, tmp_path / rule)
    return dataclasses.replace(own, flags={**own.flags, 'select': rule, 'eval_every': every})

  for rule in ('last', 'source_accuracy'):
    claim(run(rule, 10), writes=True)
    (tmp_path / rule / 'metrics.jsonl').write_text('{"step": 10}\n')
  claim(run('last', 5), writes=True)
  with pytest.raises(UserError, match='--eval_every: 10 there, 5 now'):
    claim(run('source_accuracy', 5), writes=True)
