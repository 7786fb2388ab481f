"""Methods that stand on another: the first stage runs before, and both go on when cut."""

from pathlib import Path
from typing import Any, ClassVar

import pytest

from experiments import common, digits
from experiments.problem import preprocessing
from tests import problem
from tests.contracts.test_methods import assert_same_run, interrupt_at
from tlda.methods import DANN, DIRTT, VADA, AdaBN, SourceOnly, TargetOnly
from tlda.training.fit import Trainer
from tlda.training.inputs import parts
from tlda.training.preemption import EXIT_CODE


class Second(DANN):
  """Adapts what `dann` has trained.

  Attributes:
    weight: Of the reversed gradient.
  """

  first_stage: ClassVar[str | None] = 'dann'
  weight: float = 0.5


def run(workdir: Path) -> int:
  argv = ['digits', '--method=tests.experiments.test_stages:Second', '--dann.weight=0.25']
  argv += ['--second.weight=0.75', '--backbone=mlp', '--image_size=16', '--batch_size=8']
  argv += [
    '--source=mnist_mini,sklearn_digits',
    '--target=mnist_photo',
    '--steps=4',
    '--report=false',
  ]
  return common.guarded(lambda: common.launch(digits.EXPERIMENT, [*argv, f'--workdir={workdir}']))


# The last step of the first stage, and the second step of the second.
@pytest.mark.parametrize('cut_at', [4, 6])
def test_two_stages_cut_anywhere_end_as_undisturbed(
  cut_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Path
) -> None:
  interrupt_at(monkeypatch, cut_at)
  assert run(tmp_path) == EXIT_CODE
  monkeypatch.undo()
  assert run(tmp_path) == 0
  for folder in (Path('dann'), Path()):
    assert_same_run(whole / folder, tmp_path / folder)


@pytest.fixture(scope='module')
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
  folder = tmp_path_factory.mktemp('whole')
  assert run(folder) == 0
  return folder


def test_each_stage_has_its_own_hyper_parameters(whole: Path) -> None:
  import json

  first, second = (json.loads((whole / f / 'config.json').read_text()) for f in ('dann', '.'))
  assert first['flags']['dann.weight'] == 0.25
  assert second['flags']['second.weight'] == 0.75
  assert 'second.weight' not in first['flags']


def test_a_second_stage_sees_inputs_as_its_first_did() -> None:
  """VADA reads both domains, DIRT-T only the target: both subtract the mean of both."""
  source, target = (problem.domain(name, seed) for seed, name in enumerate(('left', 'right'), 1))
  first, second = (preprocessing(cls, [source], target) for cls in (VADA, DIRTT))
  assert second == first
  assert second != preprocessing(TargetOnly, [source], target)
  of = lambda method: preprocessing(method, [source], target)
  assert of(AdaBN) == of(SourceOnly) != of(DANN) == of(Second)


def test_a_first_stage_is_not_told_of_labels_that_it_does_not_read(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  read = []
  parts_of = lambda run: parts(run.method, run.sources, run.target, run.labelled_target)
  monkeypatch.setattr(common, 'fit', lambda run: read.append(parts_of(run)))
  monkeypatch.setattr(common, 'summary', str)
  argv = ['digits', '--method=self_tuning', '--target_labels_per_class=2', '--backbone=mlp']
  argv += ['--source=mnist_mini', '--target=sklearn_digits', '--image_size=16', '--report=false']
  common.launch(digits.EXPERIMENT, [*argv, f'--workdir={tmp_path}'])
  assert ['labelled_target' in each for each in read] == [False, True]


def test_a_mistake_does_not_burn_the_workdir(tmp_path: Path, monkeypatch: Any) -> None:
  argv = ['digits', '--method=source_only', '--source=mnist_mini', '--target=mnist_photo']
  argv += ['--steps=2', f'--workdir={tmp_path}']
  launch = lambda *more: common.guarded(lambda: common.launch(digits.EXPERIMENT, [*argv, *more]))
  assert launch('--init_from=/no/such/run') == 2
  assert launch('--init_from=/no/such/run', '--dry_run') == 2
  assert launch('--seeds=99999999999') == 2
  monkeypatch.setattr(Trainer, 'run', lambda self: {'accuracy': {'target_test': [0.5]}})
  monkeypatch.setattr(common, 'summary', str)
  monkeypatch.setattr(common.report, 'write', lambda *_: None)
  assert launch() == 0
