"""The loop: seeds together, input that travels, evaluation, losses that are not finite."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests import toys
from tests.contracts.test_methods import assert_alike, assert_same_run, interrupt_at
from tests.problem import BATCH, make_run
from tlda.data import Split
from tlda.errors import UserError
from tlda.methods import DANN, Context, SourceOnly
from tlda.training import checkpoint, inputs, parallel
from tlda.training.checkpoint import Checkpoints
from tlda.training.evaluate import Evaluator
from tlda.training.fit import Trainer, fit
from tlda.training.inputs import Inputs, parts
from tlda.training.logs import read
from tlda.training.parallel import STYLES, Parallel
from tlda.training.preemption import Preempted
from tlda.training.run import stride


def weights(folder: Path) -> checkpoint.Arrays:
  return Checkpoints(folder / 'checkpoints').latest()[1]


@pytest.mark.parametrize('images', [False, True], ids=['together', 'in turns'])
def test_seeds_equal_each_alone(images: bool, tmp_path: Path) -> None:
  run = make_run(DANN, tmp_path / 'three', images=images, seeds=(0, 1, 2))
  assert Trainer(run)._together == (not images)
  fit(run)
  fit(make_run(DANN, tmp_path / 'alone', images=images, seeds=(2,)))
  three, alone = weights(tmp_path / 'three'), weights(tmp_path / 'alone')
  assert all(len(array) == 3 for array in three.values())
  for name, array in alone.items():
    np.testing.assert_allclose(three[name][2:], array, rtol=1e-5, atol=1e-6, err_msg=name)


def test_both_styles_agree_on_eight_devices(tmp_path: Path) -> None:
  for style in STYLES:
    fit(make_run(toys.Teacher, tmp_path / style, distribute=style))
  one, other = (weights(tmp_path / style) for style in STYLES)
  assert one.keys() == other.keys()
  for name, array in one.items():
    np.testing.assert_allclose(other[name], array, rtol=1e-5, atol=1e-5, err_msg=name)


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


def test_rows_that_travel_equal_rows_that_are_resident(tmp_path: Path) -> None:
  run = make_run(DANN, tmp_path)
  devices = Parallel('shard_map', BATCH)
  read_parts = parts(run.method, run.sources, run.target)
  options = {'batch_size': BATCH, 'preprocessing': run.preprocessing, 'views': ('weak',)}
  resident, travelling = (
    Inputs(read_parts, **options, parallel=devices, resident=value) for value in (True, False)
  )
  assert resident.arrays.keys() == {'preprocessing', 'source', 'target'}
  assert travelling.arrays.keys() == {'preprocessing'}
  context = Context(np.int32(3), np.int32(0), 10)
  for (feed,), (other,) in zip(
    resident.feeds((0,), 3, 6), travelling.feeds((0,), 3, 6), strict=True
  ):
    share = lambda tree: jax.tree.map(lambda x: x[2], tree)
    expected = resident.batch(resident.arrays, share(feed), context)
    found = travelling.batch(travelling.arrays, share(other), context)
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_labelled_examples_of_the_target_have_views_of_their_own(tmp_path: Path) -> None:
  """They are of one domain with the others, and sit in a batch at the same positions."""
  run = make_run(toys.FewLabels, tmp_path)
  image = np.repeat(run.target.train.inputs[:1], len(run.target.train), axis=0)
  alike = Split(image, run.target.train.labels)
  target = dataclasses.replace(run.target, train=alike)
  read_parts = parts(run.method, run.sources, target, alike)
  options = {'batch_size': BATCH, 'preprocessing': run.preprocessing, 'views': ('weak',)}
  made = Inputs(read_parts, **options, parallel=Parallel('shard_map', BATCH), resident=True)
  ((feed,),) = made.feeds((0,), 0, 1)
  share = jax.tree.map(lambda x: x[0], feed)
  batch = made.batch(made.arrays, share, Context(np.int32(0), np.int32(0), 10))
  views = [part.views['weak'] for part in (batch.target, batch.labelled_target)]
  np.testing.assert_array_equal(batch.target.inputs[0], batch.labelled_target.inputs[0])
  assert (views[0] != views[1]).any()


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


def test_uneven_batch_is_said_before_compiling(tmp_path: Path) -> None:
  run = dataclasses.replace(make_run(SourceOnly, tmp_path), batch_size=12)
  with pytest.raises(UserError, match='--batch_size=12 cannot be shared evenly by 8 devices'):
    fit(run)


def test_states_are_alike_on_every_device(tmp_path: Path) -> None:
  """The comparison of the contracts fails where one device holds other values."""
  devices = jax.devices()[:2]
  sharding = jax.sharding.SingleDeviceSharding
  good = jax.device_put(np.ones(3, np.float32), sharding(devices[0]))
  with pytest.raises(AssertionError):
    assert_alike({'a': good}, {'a': np.array([1, 1, 1.1], np.float32)})


def test_several_steps_in_one_call_equal_one_at_a_time(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  run = lambda name: dataclasses.replace(
    make_run(toys.Bank, tmp_path / name, steps=7, seeds=(0, 1)), log_every=2, eval_every=4
  )
  interrupt_at(monkeypatch, 3)
  with pytest.raises(Preempted, match='step 3 of 7'):
    fit(run('moved'))
  monkeypatch.undo()
  fit(run('alone'))
  monkeypatch.setattr(parallel, 'is_accelerator', lambda: True)
  assert stride(run('x'), resident=True) == 2
  fit(run('together'))
  fit(run('moved'))  # From a step between two stretches.
  for name in ('together', 'moved'):
    for array, expected in zip(
      weights(tmp_path / name).values(), weights(tmp_path / 'alone').values(), strict=True
    ):
      np.testing.assert_allclose(array, expected, rtol=1e-5, atol=1e-6)
    logs, expected_logs = (read(tmp_path / each / 'metrics.jsonl') for each in (name, 'alone'))
    assert [record['step'] for record in logs] == [2, 4, 6, 7]
    for record, other in zip(logs, expected_logs, strict=True):
      np.testing.assert_allclose(record['loss/task'], other['loss/task'], rtol=1e-4)


def test_a_stretch_never_reaches_over_what_the_loop_does(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  run = dataclasses.replace(
    make_run(toys.Centroids, tmp_path), steps=240, log_every=40, eval_every=80, checkpoint_every=80
  )
  assert stride(run, resident=True) == 1, 'a CPU makes one step in a call'
  monkeypatch.setattr(parallel, 'is_accelerator', lambda: True)
  assert stride(run, resident=False) == 1
  assert stride(run, resident=True) == 40, 'passes are due before steps 0 and 120'
  assert stride(dataclasses.replace(run, steps=100), resident=True) == 10, 'before 0 and 50'
  long = dataclasses.replace(run, steps=2000, log_every=500, eval_every=500, checkpoint_every=500)
  assert stride(long, resident=True) == 100, 'a call is no longer than that'


def test_rows_that_travel_resume_bit_for_bit(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setattr(inputs, 'RESIDENT_LIMIT', 0)
  assert not Trainer(make_run(DANN, tmp_path / 'x'))._inputs.is_resident
  fit(make_run(DANN, tmp_path / 'whole'))
  interrupt_at(monkeypatch, 3)
  with pytest.raises(Preempted):
    fit(make_run(DANN, tmp_path / 'cut'))
  monkeypatch.undo()
  monkeypatch.setattr(inputs, 'RESIDENT_LIMIT', 0)
  fit(make_run(DANN, tmp_path / 'cut'))
  assert_same_run(tmp_path / 'whole', tmp_path / 'cut')


def test_labelled_examples_of_the_target_go_with_methods_that_read_them(tmp_path: Path) -> None:
  few = make_run(toys.FewLabels, tmp_path)
  assert sorted(few.labelled_target.labels) == [0, 0, 1, 1, 2, 2]
  with pytest.raises(UserError, match='FewLabels reads a few labelled examples of the target: say'):
    fit(dataclasses.replace(few, labelled_target=None))
  with pytest.raises(UserError, match='DANN reads no labelled examples of the target: leave out'):
    fit(dataclasses.replace(make_run(DANN, tmp_path), labelled_target=few.labelled_target))
