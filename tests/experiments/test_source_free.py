"""A trained source run stands for the data of its source: none of them is read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import common, digits
from tests.contracts.test_methods import assert_same_run, interrupt_at
from tests.experiments import trained
from tlda import data
from tlda.data import Domain
from tlda.errors import UserError
from tlda.training.checkpoint import Checkpoints
from tlda.training.preemption import EXIT_CODE

FLAGS = '--target=sklearn_digits --image_size=16 --backbone=lenet --steps=4 --batch_size=16'


def launch(folder: Path, *words: str, start: str | None = None) -> int:
  argv = ['digits', '--method=shot', '--shot.labellings=2', *FLAGS.split(), f'--workdir={folder}']
  argv += ['--eval_every=2', '--seeds=2', f'--init_from={start or trained.folder()}', *words]
  return common.guarded(lambda: common.launch(digits.EXPERIMENT, argv))


@pytest.fixture(autouse=True)
def _no_source(monkeypatch: pytest.MonkeyPatch) -> None:
  """No data of mnist_mini, once it has been trained on."""
  trained.folder()
  load = data.load

  def guarded(name: str, *args: Any) -> Domain:
    if name == 'mnist_mini':
      raise UserError('mnist_mini is not there')
    return load(name, *args)

  monkeypatch.setattr(data, 'load', guarded)


def test_without_source_data_a_run_trains_resumes_and_reports(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  whole, cut = tmp_path / 'whole', tmp_path / 'cut'
  assert launch(whole) == 0, capsys.readouterr().err
  with monkeypatch.context() as patch:
    interrupt_at(patch, 3)
    assert launch(cut, '--report=false') == EXIT_CODE
  assert launch(cut, '--report=false') == 0
  assert_same_run(whole, cut)
  result = json.loads((whole / 'result.json').read_text())
  assert result['source'] == ['mnist_mini']
  assert result['accuracy'].keys() == {'target_test'}
  assert result['data'].keys() == {'sklearn_digits'}
  assert result['selected'].keys() >= {'last', 'entropy', 'mixval', 'oracle'}
  assert not result['selected'].keys() & {'source_accuracy', 'source_risk', 'dev', 'a_distance'}
  assert 'Target' in (whole / 'report' / 'index.html').read_text()
  config, first = (
    json.loads((folder / 'config.json').read_text()) for folder in (whole, Path(trained.folder()))
  )
  assert config['flags']['source'] == 'mnist_mini'
  assert config['network']['preprocessing'] == first['network']['preprocessing']
  assert config['network']['spec'] == first['network']['spec']
  head = [
    Checkpoints(folder / 'checkpoints').latest()[1]['params.head.logits.kernel']
    for folder in (whole, Path(trained.folder()))
  ]
  np.testing.assert_array_equal(*head)


@pytest.mark.parametrize(
  ('words', 'sentence'),
  [
    (['--backbone=lenet_bn'], 'was trained with --backbone=lenet, and its weights fit no other'),
    (['--normalization=ibn'], 'was trained with --normalization=joint, and its weights mean'),
    (['--bottleneck=8'], 'was trained with --bottleneck=-1, and its weights fit no other'),
    (['--source=sklearn_digits', '--target=mnist_photo'], 'was trained on --source=mnist_mini'),
    (['--image_size=20'], r'inputs of (20, 20, 1), and the run of --init_from was trained on (16'),
    (['--select=source_accuracy'], '--select=source_accuracy measures the source, and its data'),
    (['--init_from=/no/such/run'], '--init_from=/no/such/run is not the folder of a finished run'),
    (['--init_from=', '--source=mnist_mini'], '--method=shot starts from a trained source run'),
    (['--seeds=3'], 'has seeds [0, 1], and not [2]'),
    (['--target=OTHER', '--image_size=0'], 'is of a run that tells other classes (0, 1, 2, 3, ...'),
  ],
)
def test_bad_input(
  words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  inputs, labels = np.zeros((20, 16, 16, 1), np.uint8), np.arange(20) % 2
  np.savez(tmp_path / 'other.npz', inputs=inputs, labels=labels)
  words = [word.replace('OTHER', f'npz:{tmp_path}/other.npz') for word in words]
  assert launch(tmp_path / 'run', *words) == 2
  said = capsys.readouterr().err
  assert sentence in said
  assert len(said.strip().splitlines()) == 1
