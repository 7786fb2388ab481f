"""The loop: seeds together, host-fed input, stages, NaN, broken checkpoints, folders of others."""

import json
import shutil
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests import toys
from tests.contracts.test_methods import assert_alike, interrupt_at
from tests.problem import BATCH, make_run
from tlda.data import Split
from tlda.errors import UserError
from tlda.methods import DANN, SourceOnly
from tlda.training import checkpoint
from tlda.training.checkpoint import BrokenCheckpoint, Checkpoints
from tlda.training.evaluate import Evaluator
from tlda.training.fit import Trainer, fit
from tlda.training.inputs import Inputs, parts
from tlda.training.logs import read
from tlda.training.parallel import Parallel
from tlda.training.preemption import Preempted
from tlda.training.step import train_step


def weights(folder: Path) -> checkpoint.Arrays:
  return Checkpoints(folder / 'checkpoints').latest()[1]


def test_seeds_together_equal_each_alone(tmp_path: Path) -> None:
  fit(make_run(DANN, tmp_path / 'three', images=False, seeds=(0, 1, 2)))
  fit(make_run(DANN, tmp_path / 'alone', images=False, seeds=(2,)))
  three, alone = weights(tmp_path / 'three'), weights(tmp_path / 'alone')
  assert all(len(array) == 3 for array in three.values())
  for name, array in alone.items():
    np.testing.assert_allclose(three[name][2:], array, rtol=1e-5, atol=1e-6, err_msg=name)


def test_seeds_together_resume_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
  options: dict[str, Any] = {'images': False, 'seeds': (0, 1), 'optimizer': 'adam'}
  fit(make_run(toys.Bank, tmp_path / 'whole', **options))
  interrupt_at(monkeypatch, 3)
  with pytest.raises(Preempted):
    fit(make_run(toys.Bank, tmp_path / 'cut', **options))
  monkeypatch.undo()
  fit(make_run(toys.Bank, tmp_path / 'cut', **options))
  for name, array in weights(tmp_path / 'whole').items():
    np.testing.assert_array_equal(weights(tmp_path / 'cut')[name], array, err_msg=name)


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


def test_rows_that_travel_equal_rows_that_are_resident(tmp_path: Path) -> None:
  run = make_run(DANN, tmp_path)
  devices = Parallel('shard_map', BATCH)
  read_parts = parts(run.method, run.sources, run.target)
  options = {'batch_size': BATCH, 'preprocessing': run.preprocessing, 'views': ('weak',)}
  resident, travelling = (
    Inputs(read_parts, **options, parallel=devices, resident=value) for value in (True, False)
  )
  assert resident.arrays
  assert not travelling.arrays
  from tlda.methods import Context

  context = Context(np.int32(3), np.int32(0), 10)
  for (feed,), (other,) in zip(
    resident.feeds((0,), 3, 6), travelling.feeds((0,), 3, 6), strict=True
  ):
    share = lambda tree: jax.tree.map(lambda x: x[2], tree)
    expected = resident.batch(resident.arrays, share(feed), context)
    found = travelling.batch({}, share(other), context)
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_preprocessed_inputs_by_hand(tmp_path: Path) -> None:
  run = make_run(SourceOnly, tmp_path)
  devices = Parallel('pmap', BATCH, jax.devices()[:1])
  inputs = Inputs(
    parts(run.method, run.sources, run.target),
    batch_size=BATCH,
    preprocessing=run.preprocessing,
    views=(),
    parallel=devices,
  )
  from tlda.methods import Context

  feed = jax.tree.map(lambda x: x[0], inputs.feed(0, 0))
  batch = inputs.batch(inputs.arrays, feed, Context(np.int32(0), np.int32(0), 10))
  rows = feed['source']['index'][0]
  expected = run.sources[0].train.inputs[rows].astype(np.float64) / 255 - 0.4
  np.testing.assert_allclose(batch.source.inputs, expected, atol=1e-6)
  np.testing.assert_array_equal(batch.source.labels, run.sources[0].train.labels[rows])
  np.testing.assert_array_equal(batch.source.position, np.arange(BATCH))


def test_padded_last_batch_counts_right(tmp_path: Path) -> None:
  run = make_run(SourceOnly, tmp_path)
  for devices in (Parallel('shard_map', BATCH), Parallel('pmap', BATCH, jax.devices()[:1])):
    trainer = Trainer(run, devices)
    states = trainer._created()
    evaluator = Evaluator(run.method, run.preprocessing, devices, together=False)
    evaluator._rows = 8  # 21 examples: two whole batches and one that is padded by three.
    split = run.target.test
    predicted = evaluator.outputs(states, split, 1).logits[0].argmax(-1)
    assert len(predicted) == 21
    metrics = evaluator.metrics(states, split, 1)
    assert metrics['accuracy'][0] == pytest.approx(np.mean(predicted == split.labels))
    matrix = np.zeros((3, 3))
    np.add.at(matrix, (split.labels, predicted), 1)
    np.testing.assert_array_equal(metrics['confusion_matrix'][0], matrix)


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
  with pytest.raises(UserError, match=r'seeds \[0, 1\], and not \[7\]'):
    Trainer(make_run(toys.Bank, tmp_path / 'c', seeds=(7,), initial=tmp_path / 'first'))._created()


class Diverging(SourceOnly):
  """Its loss is not a number from the third step on."""

  def objective(self, batch: Any, context: Any) -> Any:
    terms = super().objective(batch, context)
    bad = jax.numpy.where(context.step >= 2, jax.numpy.nan, 0.0)
    return {**terms, 'wild': bad}


def test_nan_stops_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
  with pytest.raises(UserError, match=r'loss/wild of seed 0 is nan at step 3'):
    fit(make_run(Diverging, tmp_path))
  step, arrays, _ = Checkpoints(tmp_path / 'checkpoints').latest()
  assert step == 2
  assert all(np.isfinite(array).all() for array in arrays.values())
  assert [record['step'] for record in read(tmp_path / 'metrics.jsonl')] == [1, 2]
  assert not (tmp_path / 'result.json').exists()


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
  with pytest.warns(BrokenCheckpoint, match='not those that were saved'):
    step, found, note = Checkpoints(tmp_path).latest()
  assert (step, note['seconds']) == (1, 1.0)
  np.testing.assert_array_equal(found['params.kernel'], arrays['params.kernel'])


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


def test_dann_reverses_the_gradient_of_the_extractor_only(tmp_path: Path) -> None:
  trainer = Trainer(make_run(DANN, tmp_path), Parallel('pmap', BATCH, jax.devices()[:1]))
  state = trainer._created()[0]
  feed = jax.tree.map(lambda x: x[0], trainer._inputs.feed(0, 0))
  from tlda.methods import Context

  context = Context(np.int32(2), np.int32(0), 4)
  batch = trainer._inputs.batch(trainer._inputs.arrays, feed, context)
  method = trainer._run.method

  def term(params: Any, weight: float, name: str) -> Any:
    variables = {'params': params, **state.states}
    terms, _ = method.clone(weight=weight).apply(
      variables, batch, context, method='objective', mutable=['batch_stats']
    )
    return terms[name]

  plain = jax.grad(term)(state.params, -1 / float(context.ramp()), 'domain')
  reversed_ = jax.grad(term)(state.params, 0.5, 'domain')
  share = -0.5 * float(context.ramp())
  for left, right in zip(
    jax.tree.leaves(reversed_['extractor']), jax.tree.leaves(plain['extractor']), strict=True
  ):
    np.testing.assert_allclose(left, share * right, rtol=1e-4, atol=1e-7)
  for left, right in zip(
    jax.tree.leaves(reversed_['domain_classifier']),
    jax.tree.leaves(plain['domain_classifier']),
    strict=True,
  ):
    np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-8)
  assert np.abs(jax.tree.leaves(plain['extractor'])[0]).max() > 0


def test_phases_move_only_their_groups_and_share_optimizer_states(tmp_path: Path) -> None:
  trainer = Trainer(make_run(toys.TwoHeads, tmp_path), Parallel('pmap', BATCH, jax.devices()[:1]))
  state = trainer._created()[0]
  assert set(state.optimizer) == {'extractor', 'head', 'other_head'}
  feed = jax.tree.map(lambda x: x[0], trainer._inputs.feed(0, 0))
  from tlda.methods import Context

  batch = trainer._inputs.batch(trainer._inputs.arrays, feed, Context(state.step, state.seed, 4))

  class Apart(toys.TwoHeads):
    def phases(self) -> Any:
      return super().phases()[1:2]

  method = Apart(
    **{f: getattr(trainer._run.method, f) for f in ('spec', 'task', 'extractor', 'head')}
  )
  after, _ = train_step(
    state, batch, method=method, optimizer=trainer._run.optimizer, total_steps=4
  )
  same = lambda a, b: all(map(np.array_equal, jax.tree.leaves(a), jax.tree.leaves(b)))
  assert same(after.params['extractor'], state.params['extractor'])
  assert same(after.optimizer['extractor'], state.optimizer['extractor'])
  assert same(after.states, state.states), 'this phase keeps no batch statistics'
  assert not same(after.params['head'], state.params['head'])
  assert not same(after.params['other_head'], state.params['other_head'])


def test_teacher_is_the_average_of_the_new_weights(tmp_path: Path) -> None:
  trainer = Trainer(make_run(toys.Teacher, tmp_path), Parallel('pmap', BATCH, jax.devices()[:1]))
  states = trainer._created()
  before = checkpoint.flatten(states[0].states['teacher']['params'])
  states, _ = trainer._train(states, trainer._inputs.feed(0, 0) and [trainer._inputs.feed(0, 0)])
  after = checkpoint.flatten(states[0].states['teacher']['params'])
  student = checkpoint.flatten(states[0].params)
  for name, old in before.items():
    expected = 0.9 * old.astype(np.float64) + 0.1 * student[name]
    np.testing.assert_allclose(after[name], expected, rtol=1e-6, atol=1e-7)


def test_bank_holds_the_rows_of_the_whole_batch(tmp_path: Path) -> None:
  trainer = Trainer(make_run(toys.Bank, tmp_path), Parallel('shard_map', BATCH))
  states = trainer._created()
  feed = trainer._inputs.feed(0, 0)
  states, _ = trainer._train(states, [feed])
  rows = np.asarray(states[0].states['bank']['rows'])
  touched = np.unique(feed['target']['index'])
  untouched = np.setdiff1d(np.arange(len(rows)), touched)
  np.testing.assert_allclose(rows[untouched], 1 / 3, rtol=1e-6)
  assert (np.abs(rows[touched] - 1 / 3).max(axis=1) > 1e-4).all()


def test_uneven_batch_is_said_before_compiling(tmp_path: Path) -> None:
  import dataclasses

  run = dataclasses.replace(make_run(SourceOnly, tmp_path), batch_size=12)
  with pytest.raises(UserError, match='--batch_size=12 cannot be shared evenly by 8 devices'):
    fit(run)


def test_states_are_alike_on_every_device(tmp_path: Path) -> None:
  """The comparison of the contracts fails where one device holds other values."""
  devices = jax.devices()[:2]
  sharding = jax.sharding.SingleDeviceSharding
  good = jax.device_put(np.ones(3, np.float32), sharding(devices[0]))
  with pytest.raises(AssertionError):
    assert_alike({'a': good}, {'a': np.array([1, 1, 1.1], np.float32)}, 1e-5)
