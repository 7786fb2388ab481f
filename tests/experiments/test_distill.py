"""Distillation, old heads, ensembles and soups from the command line: seconds, on mnist_mini."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import common, distill, ensemble, given, saved, soups
from tests.contracts.test_methods import assert_same_run, interrupt_at
from tlda.data import Domain, Split, draw
from tlda.errors import UserError
from tlda.methods import LwF
from tlda.models import Linear, backbones, pretrained
from tlda.training.checkpoint import Checkpoints
from tlda.training.inputs import Preprocessing
from tlda.training.preemption import EXIT_CODE

BASE = ['distill', '--steps=4', '--batch_size=8', '--report=false', '--image_size=8']


def run(workdir: Path, *words: str) -> int:
  argv = [*BASE, '--backbone=mlp', *words, f'--workdir={workdir}']
  return common.guarded(lambda: common.launch(distill.EXPERIMENT, argv))


@pytest.fixture(scope='module')
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
  """Two runs of one start and another learning rate, and one of another seed."""
  folder = tmp_path_factory.mktemp('runs')
  few = ['--method=target_only', '--labels_per_class=20']
  assert run(folder / 'slow', *few, '--seeds=2', '--learning_rate=0.01') == 0
  assert run(folder / 'fast', *few, '--seeds=2', '--learning_rate=0.1') == 0
  assert run(folder / 'one', '--method=target_only', '--seeds=7,', '--label_smoothing=0.1') == 0
  three = {'inputs': np.zeros((30, 8, 8), np.uint8), 'labels': np.arange(30) % 3}
  np.savez(folder / 'three.npz', **three)
  return folder


def arrays(folder: Path) -> dict[str, np.ndarray]:
  return Checkpoints(folder / 'checkpoints').latest()[1]


# The student's mean is of all its labels, the teacher's of the few that it saw.
def test_a_student_is_taught_by_the_run_that_is_named(runs: Path, tmp_path: Path) -> None:
  words = ['--backbone=mlp_bn', '--seeds=2', f'--teacher={runs / "slow"}']
  assert run(tmp_path / 'student', *words) == 0
  found, teacher = arrays(tmp_path / 'student'), arrays(runs / 'slow')
  for name in ('extractor.dense1.kernel', 'head.logits.bias'):
    held = found[f'states.teacher.params.{name}']
    np.testing.assert_array_equal(held, teacher[f'params.{name}'])
  config = json.loads((tmp_path / 'student' / 'config.json').read_text())
  assert config['flags']['teacher'] == str(runs / 'slow')
  # A finished student predicts, and teaches, without its teacher.
  assert run(tmp_path / 'pupil', f'--teacher={tmp_path / "student"}', '--seeds=1,') == 0


def test_a_teacher_of_one_seed_teaches_all(runs: Path, tmp_path: Path) -> None:
  assert run(tmp_path, '--seeds=2', f'--teacher={runs / "one"}') == 0
  held = arrays(tmp_path)['states.teacher.params.head.logits.kernel']
  expected = arrays(runs / 'one')['params.head.logits.kernel']
  np.testing.assert_array_equal(held, np.repeat(expected, 2, axis=0))


def test_a_student_goes_on_bit_for_bit(
  runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  words = [f'--teacher={runs / "one"}', '--knowledge_distillation.features=1']
  assert run(tmp_path / 'whole', *words) == 0
  interrupt_at(monkeypatch, 3)
  assert run(tmp_path / 'cut', *words) == EXIT_CODE
  monkeypatch.undo()
  assert run(tmp_path / 'cut', *words) == 0
  assert_same_run(tmp_path / 'whole', tmp_path / 'cut')


def test_inputs_are_turned_to_what_the_teacher_saw() -> None:
  images = np.array([0, 51, 255], np.uint8)[:, None, None, None]
  own, other = Preprocessing((0.25,), (0.5,)), Preprocessing((0.1, 0.2, 0.4))
  scale, shift = given.change(own, other)
  found = np.asarray(own(images)) * np.array(scale) + np.array(shift)
  np.testing.assert_allclose(found, other(images), rtol=1e-6, atol=1e-7)
  assert given.change(own, own) == ((), ())


def test_the_old_head_is_that_of_the_run_to_start_from(runs: Path, tmp_path: Path) -> None:
  words = ['--method=lwf', f'--init_from={runs / "slow"}', '--seeds=2', '--learning_rate=1e-9']
  assert run(tmp_path, *words) == 0
  found, before = arrays(tmp_path), arrays(runs / 'slow')
  old = before['params.head.logits.kernel']
  reference = found['states.reference.params.old_head.logits.kernel']
  np.testing.assert_array_equal(reference, old)
  np.testing.assert_allclose(found['params.old_head.logits.kernel'], old, atol=1e-6)
  # Drawn again; the old one had four steps since.
  assert np.abs(found['params.head.logits.kernel'] - old).max() > 1e-3


def test_the_old_head_is_that_of_the_published_weights() -> None:
  flags = {'weights': 'efficientnet_lite0', 'init_from': None, 'teacher': None, 'method': 'lwf'}
  target = Domain('made_up', None, None, tuple('abc'), 'none')
  find = lambda network: given.find(flags, LwF, network, target, Preprocessing(()), (0, 1))
  fields, found = find(backbones.network('efficientnet_lite0', classes=3, bottleneck=0))
  assert fields == {'old_head': Linear(1000)}
  published = pretrained.read('efficientnet_lite0')
  for row in found['params.old_head.logits.kernel']:
    np.testing.assert_array_equal(row, published['_fc.weight'].T)
  with pytest.raises(UserError, match='--bottleneck=0'):
    find(backbones.network('efficientnet_lite0', classes=3, bottleneck=256))


@pytest.mark.parametrize(
  ('words', 'sentence'),
  [
    (['--teacher=/no/such'], '--teacher=/no/such is not the folder of a finished run'),
    ([], 'knowledge_distillation needs a teacher'),
    (['--teacher=RUNS/one', '--method=target_only'], '--method=target_only has no teacher'),
    (['--teacher=RUNS/slow', '--seeds=3'], r'--teacher=\S+ has seeds \[0, 1\], and not \[2\]'),
    (['--teacher=RUNS/one', '--image_size=9'], 'sees inputs of 8x8x1, and these are 9x9x1'),
    (['--teacher=RUNS/one', '--target=npz:RUNS/three.npz'], 'tells other classes'),
    (['--method=lwf'], 'LwF needs the head of an old task'),
    (['--method=co_tuning', '--transfer=freeze'], 'CoTuning needs the head of an old task'),
    (['--method=lwf', '--init_from=RUNS/one', '--seeds=7,', '--backbone=lenet'], '--backbone=mlp'),
  ],
)
def test_mistakes(
  words: list[str],
  sentence: str,
  runs: Path,
  tmp_path: Path,
  capsys: pytest.CaptureFixture[str],
) -> None:
  assert run(tmp_path, *(word.replace('RUNS', str(runs)) for word in words)) == 2
  said = capsys.readouterr().err
  assert re.search(sentence, said), said
  assert len(said.strip().splitlines()) == 1


def measured(tmp_path: Path, *words: str) -> Any:
  argv = ['ensemble', *words, f'--workdir={tmp_path}']
  assert common.guarded(lambda: ensemble.ensemble(argv)) == 0
  return json.loads((tmp_path / 'ensemble.json').read_text())


def test_members_are_all_seeds_of_all_runs(
  runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  names = [str(runs / name) for name in ('slow', 'one')]
  found = measured(tmp_path, f'--runs={",".join(names)}')
  results = [json.loads((Path(name) / 'result.json').read_text()) for name in names]
  expected = [share for result in results for share in result['accuracy']['target_test']]
  shares = [member['accuracy'] for member in found['members']]
  np.testing.assert_allclose(shares, expected, atol=1e-3)
  assert [member['seed'] for member in found['members']] == [0, 1, 7]
  assert 0 < found['disagreement'] <= 1
  assert found['examples'] == 2000
  said = capsys.readouterr().out
  assert f'{100 * found["ensemble"]["accuracy"]:.2f} %' in said
  alone = measured(tmp_path / 'alone', f'--runs={names[1]}', '--combine=logits')
  assert alone['ensemble']['accuracy'] == alone['members'][0]['accuracy']


def test_a_soup_is_the_mean_of_weights_seed_by_seed(runs: Path, tmp_path: Path) -> None:
  names = [str(runs / name) for name in ('slow', 'fast')]
  found = measured(tmp_path, f'--runs={",".join(names)}', '--soup')['soup']
  assert found['seeds'] == [0, 1]
  assert found['held_out'] == 2000
  assert len(found['uniform']) == len(found['greedy']) == len(found['chosen']) == 2
  loaded = [saved.load(name) for name in names]
  mean = soups.soup(loaded, 1).variables[0]['params']['head']['logits']['kernel']
  kernels = [arrays(Path(name))['params.head.logits.kernel'][1] for name in names]
  np.testing.assert_allclose(mean, np.mean(kernels, axis=0), rtol=1e-6, atol=1e-8)


def test_a_greedy_soup_is_never_chosen_on_what_was_learned(runs: Path) -> None:
  rng = np.random.default_rng(0)
  inputs = rng.integers(0, 255, (400, 8, 8, 1)).astype(np.uint8)
  split = Split(inputs, (np.arange(400) % 10).astype(np.int32))
  target = Domain('made_up', split, split, tuple('abcdefghij'), 'none')
  few, whole = saved.load(str(runs / 'slow')), saved.load(str(runs / 'one'))
  held = soups.held_out([few, few], target)
  assert len(held) == 400 - 20 * 10
  learned = {row.tobytes() for row in draw(split, 20, 10).inputs}
  assert not learned & {row.tobytes() for row in held.inputs}
  assert soups.held_out([few, whole], target) is None


def test_held_out_examples_of_a_sorted_domain_are_of_every_class(
  runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setattr(soups, 'HELD_OUT', 120)
  split = Split(np.zeros((400, 8, 8, 1), np.uint8), np.repeat(np.arange(10, dtype=np.int32), 40))
  target = Domain('made_up', split, split, tuple('abcdefghij'), 'none')
  held = soups.held_out([saved.load(str(runs / 'slow'))], target)
  assert np.bincount(held.labels).tolist() == [12] * 10


@pytest.mark.parametrize(
  ('words', 'sentence'),
  [
    ([], 'say which runs are the members'),
    (['--runs=/no/such'], '--runs=/no/such is not the folder of a finished run'),
    (['--runs=RUNS/slow', '--combine=median'], "unknown combination 'median'"),
    (['--runs=RUNS/slow', '--soup'], 'name two or more'),
    (['--runs=RUNS/slow,RUNS/one', '--soup'], 'one seed, which draws their new head'),
    (['--rums=RUNS/slow'], 'rums'),
    (['RUNS/slow'], 'is no flag'),
  ],
)
def test_mistakes_in_ensembles(
  words: list[str],
  sentence: str,
  runs: Path,
  tmp_path: Path,
  capsys: pytest.CaptureFixture[str],
) -> None:
  argv = ['ensemble', f'--workdir={tmp_path}', *(w.replace('RUNS', str(runs)) for w in words)]
  assert common.guarded(lambda: ensemble.ensemble(argv)) == 2
  said = capsys.readouterr().err
  assert re.search(sentence, said), said
  assert len(said.strip().splitlines()) == 1
  assert not (tmp_path / 'ensemble.json').exists()
