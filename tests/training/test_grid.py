"""Many runs in one program: each is what it is alone."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests.problem import domain, make_method, make_run
from tlda import transfer
from tlda.errors import UserError
from tlda.methods import ADDA, AFN, ATDOC, CMD, DANN, AdaBN
from tlda.methods.method import Method, Terms
from tlda.training import plan
from tlda.training.fit import fit
from tlda.training.grid import fit_together, key, most, unfit
from tlda.training.inputs import Preprocessing
from tlda.training.logs import read
from tlda.training.run import Run

STEPS = 4
TIMES = ('examples_per_second',)


def vectors(
  cls: type[Method], folder: Path, *, rate: float = 0.05, other: int = 2, **fields: Any
) -> Run:
  """Returns a run of two seeds on feature vectors, from 'left' to the domain that `other` draws."""
  source, target = domain('left', 1, images=False), domain(f'right {other}', other, images=False)
  run = make_run(cls, folder, seeds=(0, 3), images=False, steps=STEPS, **fields)
  run = dataclasses.replace(
    run,
    method=make_method(cls, source, target, **fields),
    sources=(source,),
    target=target,
    preprocessing=Preprocessing((0.1 * other,)),
    optimizer=transfer.optimizer('sgd', transfer.schedule('annealing', rate, STEPS), STEPS),
    flags={**run.flags, 'learning_rate': rate, **{f'own.{name}': x for name, x in fields.items()}},
    numbers={f'own.{name}': name for name in fields},
  )
  return run


def assert_alike(folder: Path, alone: Path) -> None:
  """Asserts that two runs logged, measured and selected the same, to rounding."""
  records, expected = (read(each / 'metrics.jsonl') for each in (folder, alone))
  assert [each['step'] for each in records] == [each['step'] for each in expected]
  for own, wanted in zip(records, expected, strict=True):
    assert own.keys() == wanted.keys() - {*TIMES}
    for name, values in own.items():
      np.testing.assert_allclose(values, wanted[name], rtol=1e-4, atol=2e-5, err_msg=name)
  own, wanted = (json.loads((each / 'result.json').read_text()) for each in (folder, alone))
  for name in ('accuracy', 'selected', 'confusion_matrix', 'seeds', 'source', 'target', 'data'):
    assert own[name] == wanted[name], name


def test_each_run_is_what_it_is_alone(tmp_path: Path) -> None:
  settings = [
    {'weight': 1.0}, {'weight': 0.2}, {'weight': 0.2, 'rate': 0.2}, {'weight': 0.5, 'other': 3},
  ]  # fmt: skip
  runs = [vectors(DANN, tmp_path / f'{n}', **own) for n, own in enumerate(settings)]
  results = fit_together(runs)
  for number, run in enumerate(runs):
    fit(dataclasses.replace(run, workdir=tmp_path / f'alone {number}'))
    assert_alike(run.workdir, tmp_path / f'alone {number}')
    assert results[number]['trained_together'] == 4
    assert not (run.workdir / 'checkpoints').exists()
  weights = [read(run.workdir / 'metrics.jsonl')[-1]['norm/parameters'] for run in runs]
  assert len({tuple(each) for each in weights}) == 4  # Each was trained by its own settings.


def test_banks_know_the_rows_of_their_own_domain(tmp_path: Path) -> None:
  runs = [vectors(ATDOC, tmp_path / f'{other}', other=other) for other in (2, 3)]
  fit_together(runs)
  alone = dataclasses.replace(runs[1], workdir=tmp_path / 'alone')
  fit(alone)
  assert_alike(runs[1].workdir, alone.workdir)


def test_a_run_that_diverges_leaves_the_others_alone(tmp_path: Path) -> None:
  runs = [vectors(DANN, tmp_path / f'{rate}', rate=rate) for rate in (0.05, 1e30)]
  good, bad = fit_together(runs)
  assert good['accuracy']['target_test']
  assert isinstance(bad, UserError)
  assert 'training diverged' in str(bad)
  assert not (runs[1].workdir / 'result.json').exists()


def test_a_stopped_grid_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
  run = vectors(DANN, tmp_path / 'run')
  with monkeypatch.context() as patch:
    patch.setattr('tlda.training.grid.summarize', lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
      fit_together([run])
  assert read(run.workdir / 'metrics.jsonl')
  fit_together([run])
  assert [record['step'] for record in read(run.workdir / 'metrics.jsonl')] == [1, 2, 3, 4]


class Deciding(DANN):
  """Decides in Python by the value of a field."""

  def objective(self, batch: Any, context: Any) -> Terms:
    """Leaves out a term that has no weight."""
    terms = super().objective(batch, context)
    return terms if self.weight > 0 else {'task': terms['task']}


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
  def refused(*runs: Run) -> str:
    with pytest.raises(UserError) as caught:
      fit_together(runs)
    return str(caught.value)

  run = vectors(DANN, tmp_path / 'run')
  longer = dataclasses.replace(vectors(DANN, tmp_path / 'longer'), flags={**run.flags, 'steps': 9})
  assert 'differ in more than' in refused(run, longer)
  assert 'learns from images' in refused(make_run(DANN, tmp_path / 'images'))
  assert 'first stage' in refused(vectors(ADDA, tmp_path / 'stage'))
  assert 'weights of others' in refused(dataclasses.replace(run, initial=tmp_path))
  assert 'need a --workdir each' in refused(run, run)
  deciding = [vectors(Deciding, tmp_path / f'{w}', weight=w) for w in (0.5, 1.0)]
  assert 'Deciding decides by the value of weight' in refused(*deciding)
  shaped = [vectors(CMD, tmp_path / f'{span}', span=span) for span in (1.0, 2.0)]
  assert 'CMD decides by the value of span' in refused(*shaped)
  trained = vectors(DANN, tmp_path / 'trained')
  (trained.workdir / 'checkpoints').mkdir(parents=True)
  assert 'holds a run with checkpoints' in refused(trained)


def test_the_numbers_of_every_run_are_looked_at(tmp_path: Path) -> None:
  runs = [vectors(AFN, tmp_path / f'{radius}', radius=radius) for radius in (-1.0, 1.0)]
  with pytest.raises(UserError, match='radius'):
    fit_together(runs)
  assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
  ('changed', 'fits'),
  [
    ({'own.weight': 0.3}, True),
    ({'learning_rate': 0.3, 'workdir': 'elsewhere', 'seeds': '7'}, True),
    ({'own.kernels': 3}, False),
    ({'momentum': 0.5}, False),
    ({'strategy.weight': 0.5}, False),  # A transfer strategy's field of the same name.
    ({'weight': 0.5}, False),
  ],
)
def test_what_the_runs_of_a_grid_have_in_common(
  changed: dict[str, Any], fits: bool, tmp_path: Path
) -> None:
  run = vectors(DANN, tmp_path, weight=1.0)
  other = dataclasses.replace(run, flags={**run.flags, **changed})
  assert (key(other) == key(run)) == fits
  assert unfit(run) is None


def test_logs_are_those_of_a_run_alone_whatever_the_intervals(tmp_path: Path) -> None:
  options = {'log_every': 2, 'eval_every': 3}
  run, alone = (
    dataclasses.replace(vectors(DANN, tmp_path / name), **options) for name in ('a', 'b')
  )
  fit_together([run])
  fit(alone)
  assert_alike(run.workdir, alone.workdir)


def test_a_folder_of_another_configuration_is_left_alone(tmp_path: Path) -> None:
  fit_together([vectors(DANN, tmp_path, weight=1.0)])
  before = {path: path.read_bytes() for path in tmp_path.rglob('*.json*')}
  with pytest.raises(UserError, match='belongs to a run with another configuration'):
    fit_together([vectors(DANN, tmp_path, weight=0.5)])
  assert {path: path.read_bytes() for path in tmp_path.rglob('*.json*')} == before


def test_a_run_that_is_trained_anew_says_by_what(tmp_path: Path) -> None:
  run = dataclasses.replace(vectors(DANN, tmp_path), about={'commit': 'old'})
  fit_together([run])
  result = fit(dataclasses.replace(run, about={'commit': 'new'}))
  assert result['config']['commit'] == 'new'
  assert (tmp_path / 'checkpoints').exists()


def test_a_program_holds_as_many_seeds_as_memory_allows(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  run = vectors(DANN, tmp_path)
  size = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(plan.shapes(run)))
  monkeypatch.setattr('tlda.training.grid.STATES_LIMIT', 5 * size + 1)
  assert most(run) == 5
  monkeypatch.setattr('tlda.training.grid.STATES_LIMIT', 1)
  assert most(run) == 1


def test_a_pass_over_a_whole_domain_is_no_part_of_a_grid(tmp_path: Path) -> None:
  assert unfit(make_run(AdaBN, tmp_path)) is not None


def test_one_device_and_eight_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
  eight, one = (vectors(DANN, tmp_path / name) for name in ('eight', 'one'))
  fit_together([eight])
  devices = jax.devices()[:1]
  monkeypatch.setattr('jax.devices', lambda *_: devices)
  fit_together([one])
  assert_same = zip(*(read(run.workdir / 'metrics.jsonl') for run in (eight, one)), strict=True)
  for own, wanted in assert_same:
    for name, values in own.items():
      np.testing.assert_allclose(values, wanted[name], rtol=1e-4, atol=2e-5, err_msg=name)
