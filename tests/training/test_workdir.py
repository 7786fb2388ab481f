"""A run's folder: what it holds, whose it is, how a run goes on from it, and broken checkpoints."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests import toys
from tests.contracts.test_methods import interrupt_at
from tests.problem import BATCH, make_run
from tlda.data import Split
from tlda.errors import UserError
from tlda.methods import DANN, SourceOnly
from tlda.models.backbones import LeNet
from tlda.training import checkpoint
from tlda.training.checkpoint import Checkpoints
from tlda.training.fit import Trainer, fit
from tlda.training.logs import read
from tlda.training.parallel import Parallel
from tlda.training.preemption import Preempted
from tlda.training.result import worst_source
from tlda.training.run import claim
from tlda.training.workdir import Lock


def weights(folder: Path) -> checkpoint.Arrays:
  return Checkpoints(folder / 'checkpoints').latest()[1]


def truncate(folder: Path) -> None:
  for file in (folder / 'state').rglob('*'):
    if file.is_file():
      file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def test_broken_checkpoint_falls_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
  fit(make_run(SourceOnly, tmp_path))
  expected = weights(tmp_path)
  truncate(tmp_path / 'checkpoints' / '4')
  fit(make_run(SourceOnly, tmp_path))
  said = capsys.readouterr().out
  assert 'checkpoints/4 is broken' in said
  assert 'at step 2' in said
  for name, array in expected.items():
    np.testing.assert_array_equal(weights(tmp_path)[name], array)


def test_only_broken_checkpoints_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
  fit(make_run(SourceOnly, tmp_path))
  for step in ('2', '4'):
    truncate(tmp_path / 'checkpoints' / step)
  before = sorted(tmp_path.rglob('*'))
  with pytest.raises(UserError, match='no checkpoint in .* can be read'):
    fit(make_run(SourceOnly, tmp_path))
  assert sorted(tmp_path.rglob('*')) == before


def test_changed_bytes_are_noticed(tmp_path: Path) -> None:
  arrays = {'params.kernel': np.arange(6.0).reshape(2, 3), 'step': np.int32(5)}
  checkpoints = Checkpoints(tmp_path)
  checkpoints.save(1, arrays, {'seconds': 1.0})
  checkpoints.save(2, {**arrays, 'step': np.int32(6)}, {'seconds': 2.0})
  shutil.copytree(tmp_path / '1' / 'state', tmp_path / '2' / 'state', dirs_exist_ok=True)
  said = []
  step, found, note = Checkpoints(tmp_path).latest(say=said.append)
  assert 'not those that were saved' in said[0]
  assert (step, note['seconds']) == (1, 1.0)
  np.testing.assert_array_equal(found['params.kernel'], arrays['params.kernel'])


def test_a_save_asks_the_cluster_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
  """The loop asks, with a count of its own: what is asked with another number confuses both."""
  asked = []
  ask = lambda step: bool(asked.append(step))
  monkeypatch.setattr('jax.experimental.multihost_utils.reached_preemption_sync_point', ask)
  Checkpoints(tmp_path).save(1000, {'step': np.int32(5)}, {})
  assert not asked


def test_folder_of_another_run(tmp_path: Path) -> None:
  run = make_run(SourceOnly, tmp_path)
  fit(run)
  run.flags['rate'] = 3  # type: ignore[index]
  with pytest.raises(UserError, match='--rate: None there, 3 now'):
    fit(run)
  other = make_run(SourceOnly, tmp_path)
  train = other.sources[0].train
  object.__setattr__(other.sources[0], 'train', Split(train.inputs[::-1].copy(), train.labels))
  with pytest.raises(UserError, match='the data have other hashes'):
    fit(other)


def test_finished_run_is_found_finished(tmp_path: Path) -> None:
  first = fit(make_run(SourceOnly, tmp_path))
  log = (tmp_path / 'metrics.jsonl').read_text()
  again = fit(make_run(SourceOnly, tmp_path))
  assert again['accuracy'] == first['accuracy']
  assert (tmp_path / 'metrics.jsonl').read_text() == log


def test_a_result_that_was_not_explained_is_finished(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  """A cluster may kill what no longer trains, between the numbers and what explains them."""
  expected = fit(make_run(DANN, tmp_path / 'whole'))
  with monkeypatch.context() as patch:
    patch.setattr('tlda.training.fit.explain', killed)
    with pytest.raises(KeyboardInterrupt):
      fit(make_run(DANN, tmp_path / 'cut'))
  left = json.loads((tmp_path / 'cut' / 'result.json').read_text())
  assert left['explained'] is False
  found = fit(make_run(DANN, tmp_path / 'cut'))
  assert found == json.loads((tmp_path / 'cut' / 'result.json').read_text())
  assert found.keys() == expected.keys()
  assert found['proxy_a_distance'] == expected['proxy_a_distance']


def killed(*_: Any) -> None:
  raise KeyboardInterrupt


def test_what_a_run_writes(tmp_path: Path) -> None:
  fit(make_run(DANN, tmp_path, seeds=(0, 3)))
  records = [json.loads(line) for line in (tmp_path / 'metrics.jsonl').read_text().splitlines()]
  assert [record['step'] for record in records] == [1, 2, 3, 4]
  logged = {'loss/task', 'loss/domain', 'norm/gradients', 'norm/parameters', 'norm/updates'}
  assert all(logged <= record.keys() for record in records)
  assert all(len(record['loss/task']) == 2 for record in records)
  assert {'accuracy/source_test', 'accuracy/target_test'} <= records[1].keys()
  assert 'accuracy/target_test' not in records[0]
  result = json.loads((tmp_path / 'result.json').read_text())
  assert result['seeds'] == [0, 3]
  assert result['accuracy']['target_test'] == records[-1]['accuracy/target_test']
  assert set(result['selected']) >= {'last', 'oracle'}
  assert result['data']['right']['examples'] == {'train': 44, 'test': 21}
  assert np.array(result['confusion_matrix']['target_test']).sum() == 2 * 21
  assert set(result['proxy_a_distance']) == {'before', 'after'}
  with np.load(tmp_path / 'report' / 'samples.npz') as samples:
    assert samples['target_images'].dtype == np.uint8
    assert samples['features_after_target'].shape == (21, 12)
    assert 'target_maps' not in samples  # A dense extractor has no places to look at.


def test_several_sources_are_measured_each(tmp_path: Path) -> None:
  result = fit(make_run(SourceOnly, tmp_path, sources=2, seeds=(0, 3)))
  accuracy, last = result['accuracy'], read(tmp_path / 'metrics.jsonl')[-1]
  for name in ('left', 'middle'):
    assert accuracy[f'{name}_test'] == last[f'accuracy/{name}_test']
  for seed, (left, middle) in enumerate(
    zip(accuracy['left_test'], accuracy['middle_test'], strict=True)
  ):
    assert accuracy['source_test'][seed] == pytest.approx((left + middle) / 2)
    assert result['worst_source']['accuracy'][seed] == min(left, middle)
    assert result['worst_source']['name'][seed] == ('middle' if middle < left else 'left')
  assert json.loads((tmp_path / 'result.json').read_text())['worst_source']


def test_the_worst_source_of_each_seed_by_hand() -> None:
  accuracy = {'a_test': [0.9, 0.5], 'b_test': [0.7, 0.6], 'target_test': [0.1, 0.1]}
  assert worst_source(['a', 'b'], accuracy) == {'name': ['b', 'a'], 'accuracy': [0.7, 0.5]}
  assert worst_source(['a'], accuracy) is None


def test_resumed_under_another_style_and_device_count(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  fit(make_run(DANN, tmp_path / 'whole', distribute='pmap'))
  interrupt_at(monkeypatch, 2)
  one = Parallel('pmap', BATCH, jax.devices()[:1])
  with pytest.raises(Preempted):
    Trainer(make_run(DANN, tmp_path / 'cut', distribute='pmap'), one).run()
  monkeypatch.undo()
  fit(make_run(DANN, tmp_path / 'cut', distribute='shard_map'))
  for name, array in weights(tmp_path / 'whole').items():
    np.testing.assert_allclose(weights(tmp_path / 'cut')[name], array, rtol=1e-5, atol=1e-5)


def test_second_stage_starts_from_the_first(tmp_path: Path) -> None:
  first = make_run(SourceOnly, tmp_path / 'first', seeds=(0, 1))
  fit(first)
  trained = weights(tmp_path / 'first')
  trainer = Trainer(make_run(toys.Bank, tmp_path / 'b', seeds=(1,), initial=tmp_path / 'first'))
  start = checkpoint.flatten(trainer._created()[0])
  for name, array in start.items():
    if name.startswith(('params', 'states.batch_stats')):
      np.testing.assert_array_equal(array, trained[name][1], err_msg=name)
  assert start['step'] == 0
  taught = Trainer(make_run(toys.Teacher, tmp_path / 't', seeds=(1,), initial=tmp_path / 'first'))
  for name, array in checkpoint.flatten(taught._created()[0].states['teacher']).items():
    np.testing.assert_array_equal(array, trained[name][1], err_msg=f'teacher of {name}')
  with pytest.raises(UserError, match=r'seeds \[0, 1\], and not \[7\]'):
    Trainer(make_run(toys.Bank, tmp_path / 'c', seeds=(7,), initial=tmp_path / 'first'))._created()


def test_a_step_that_breaks_twice_is_set_aside_twice(tmp_path: Path) -> None:
  arrays = {'step': np.int32(5)}
  Checkpoints(tmp_path).save(1, arrays, {})
  for _ in range(2):
    Checkpoints(tmp_path).save(2, arrays, {})
    truncate(tmp_path / '2')
    assert Checkpoints(tmp_path).latest(say=lambda _: None)[0] == 1
  assert len(list(tmp_path.glob('broken-2-*'))) == 2


def test_finished_run_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
  fit(make_run(SourceOnly, tmp_path))
  capsys.readouterr()
  fit(make_run(SourceOnly, tmp_path))
  said = capsys.readouterr().out
  assert 'is finished (step 4)' in said
  assert 'resuming' not in said


@pytest.mark.parametrize(
  ('files', 'sentence'),
  [
    ({'config.json': '[]'}, 'holds files of something else: give another --workdir'),
    ({'config.json': '{"name": "mine"}'}, 'holds files of something else'),
    ({'config.json': '{'}, 'is not JSON .*: is this the workdir of a run'),
    ({'result.json': '{"accuracy": {"target_test": [1]}}'}, 'holds files of something else'),
    ({'metrics.jsonl': '{"loss": 1}'}, 'holds files of something else'),
    ({'config.json': '{"flags": {}}', 'metrics.jsonl': '{"a": 1}'}, 'files of something else'),
    ({'config.json': '{"flags": {}}', 'result.json': '{"accu'}, 'result.json is cut off'),
    ({'config.json': '{"flags": {}}', 'result.json': '{}'}, 'or no result of a run: remove it'),
  ],
)
def test_files_that_are_no_run_s_stay_as_they_are(
  files: dict[str, str], sentence: str, tmp_path: Path
) -> None:
  for name, text in files.items():
    (tmp_path / name).write_text(text)
  with pytest.raises(UserError, match=sentence):
    claim(make_run(SourceOnly, tmp_path), writes=True, lock=Lock())
  assert {path.name: path.read_text() for path in tmp_path.iterdir()} == files


def test_too_small_inputs_and_tests_are_refused_before_anything_is_written(tmp_path: Path) -> None:
  run = make_run(DANN, tmp_path / 'run', extractor=LeNet())
  with pytest.raises(UserError, match='inputs of 8x8x1 are too small for this --backbone'):
    fit(run)
  run = make_run(DANN, tmp_path / 'run')
  short = Split(run.target.test.inputs[:3], run.target.test.labels[:3])
  with pytest.raises(UserError, match='the test split of right has 3 examples: at least 4'):
    fit(dataclasses.replace(run, target=dataclasses.replace(run.target, test=short)))
  assert not (tmp_path / 'run').exists()
