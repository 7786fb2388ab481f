"""What a sweep draws: configurations with ids of their own, written down once."""

import dataclasses
import json
from pathlib import Path

import pytest

from experiments.sweeps import places, plan, work
from tests.experiments.sweeps import TERM, Trained, make, planned, states
from tlda.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> str:
  return planned(tmp_path)


def test_an_id_depends_on_the_configuration_only() -> None:
  few, many = make('--budget=2'), make('--budget=4', '--folder=elsewhere', '--data_dir=x')
  assert list(many.runs)[:2] == list(few.runs)
  assert len(many.runs) == 4
  # The same value, drawn, chosen or given: the same run; of another range or field, another.
  wanted = {'dann.weight': 0.5}
  (chosen,) = make('--budget=1', '--range=dann.weight=choice:0.5', '--log_every=7').runs.items()
  (drawn,) = make('--budget=1', '--range=steps=choice:7', '--dann.weight=0.5').runs.items()
  (other,) = make('--budget=1', '--range=dann.weight=choice:0.5', '--steps=7').runs.items()
  assert chosen[1] == wanted
  assert drawn[0] == other[0] != chosen[0]
  assert make('--budget=1', '--eval_every=7').runs.keys() != make('--budget=1').runs.keys()


def test_a_drawing_knows_nothing_of_other_ranges() -> None:
  alone = [each['dann.weight'] for each in make('--budget=5').runs.values()]
  both = make('--budget=5', '--range=batch_size=uniform:8:64').runs.values()
  assert [each['dann.weight'] for each in both] == alone
  assert all(0.01 <= weight <= 1 for weight in alone)
  assert all(isinstance(each['batch_size'], int) for each in both)
  others = [each['dann.weight'] for each in make('--budget=5', '--sweep_seed=1').runs.values()]
  assert set(alone).isdisjoint(others)


def test_a_field_that_is_given_is_not_searched() -> None:
  drawn = make('--dann.weight=0.3', '--range=momentum=uniform:0:0.9', '--budget=2')
  assert list(drawn.ranges) == ['momentum']
  assert drawn.settings['dann.weight'] == 0.3
  assert '--dann.weight=0.3' in drawn.words(next(iter(drawn.runs)))


@pytest.mark.parametrize(
  ('words', 'sentence'),
  [
    (['--range=dann.wait=log:0.1:1'], "unknown flag 'dann.wait': did you mean 'dann.weight'"),
    (['--range=mcd.repeats=choice:2,3'], "unknown flag 'mcd.repeats'"),
    (['--range=dann.weight=log:1:0.1'], 'log:1:0.1 is empty'),
    (['--range=batch_size=choice:'], 'choice: is empty'),
    (['--range=batch_size=choice:8,many'], 'does not fit --batch_size'),
    (['--range=batch_size=uniform:1.5:3'], 'a whole number'),
    (['--range=optimizer=uniform:0:1'], 'no number'),
    (['--range=seeds=choice:1,2'], 'the same in all runs'),
    (['--range=workdir=choice:a,b'], 'the same in all runs'),
    (['--dann.weight=1', '--range=dann.weight=log:0.1:1'], 'leave one of them out'),
    (['--dann.weight=1'], 'there is nothing to search'),
    (['--budget=0'], '--budget must be 1 or above, not 0'),
    (['--budgt=3'], "did you mean 'budget'"),
    (['--select=last'], '--select=last cannot compare runs'),
    (['--select=oracle'], '--select=oracle cannot compare runs'),
    (['--seeds=0'], '--seeds=0'),
    (['--workdir=x'], 'no use for --workdir'),
    (['--multihost'], 'no use for --multihost'),
  ],
)
def test_mistakes_in_a_plan(words: list[str], sentence: str) -> None:
  with pytest.raises(UserError, match=sentence):
    make(*words)


def test_an_unknown_experiment() -> None:
  with pytest.raises(UserError, match="unknown experiment 'digit': did you mean 'digits'"):
    make(name='digit')


def test_a_folder_has_one_plan_that_only_grows(folder: str) -> None:
  assert plan.write(make('--budget=3', '--log_every=5'), folder) == plan.read(folder)
  with pytest.raises(UserError, match='--steps: 20000 there, 7 now'):
    plan.write(make('--budget=3', '--steps=7'), folder)
  with pytest.raises(UserError, match='range=dann.weight: log:0.01:1 there, log:0.1:1 now'):
    plan.write(make('--budget=3', '--range=dann.weight=log:0.1:1'), folder)
  with pytest.raises(UserError, match='--budget: 3 there, 2 now'):
    plan.write(make('--budget=2'), folder)
  assert len(plan.write(make('--budget=5'), folder).runs) == 5
  assert states(folder) == ['waiting'] * 5


def test_a_plan_of_other_defaults_is_refused(folder: str) -> None:
  there = plan.read(folder)
  text = json.dumps({**dataclasses.asdict(there), 'settings': {**there.settings, 'tokens': 7}})
  places.replace(f'{folder}/plan.json', text)
  with pytest.raises(UserError, match=r'other defaults \(--tokens: 7 there, 128 now\)'):
    work.work(folder, term=TERM, train=Trained())


def test_no_sweep(tmp_path: Path) -> None:
  with pytest.raises(UserError, match='is no sweep'):
    plan.read(str(tmp_path))
