"""What every method must satisfy: found by its export, so a new one is covered by being written.

The toy methods of `tests/toys.py` lean on parts of the base class that no exported one uses yet.
"""

import functools
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests import toys
from tests.problem import BATCH, make_run
from tlda import methods
from tlda.training import checkpoint
from tlda.training import seeds as seeds_lib
from tlda.training.fit import Trainer, fit
from tlda.training.logs import read
from tlda.training.parallel import Parallel
from tlda.training.preemption import Preempted

STEPS = 4
# At the defaults a few steps are sure of nothing, and terms that wait for that would be untried;
# and each repeat of a phase is compiled by itself: two show what five do.
FIELDS = {
  'can': {'radius': 1.0, 'members': 1},
  'fixmatch': {'threshold': 0.35},
  'mcd': {'repeats': 2},
  'mean_teacher': {'threshold': 0.35},
  'star': {'repeats': 2},
  'swd': {'repeats': 2},
  'wdgrl': {'critic_steps': 2},
}
CASES = {
  **{name: (methods.get(name), FIELDS.get(name, {})) for name in methods.names()},
  'afn stepwise': (methods.AFN, {'stepwise': True}),
  **{toy.__name__: (toy, {}) for toy in toys.ALL},
}
TIMES = frozenset({'examples_per_second'})


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Iterator[tuple[type[methods.Method], dict[str, Any]]]:
  yield CASES[request.param]
  jax.clear_caches()  # The programs of all methods together take gigabytes.


def train(case: Any, folder: Path, devices: Parallel, **options: Any) -> tuple[Any, list[dict]]:
  """Trains a few steps without evaluation; returns the states (on their devices) and the logs."""
  cls, fields = case
  trainer = Trainer(make_run(cls, folder, steps=STEPS, **options, **fields), devices)
  states, _, _ = trainer._start()
  logs = []
  for step, feed in enumerate(trainer._inputs.feeds(trainer._run.seeds, 0, STEPS)):
    states = trainer._domain_passes(states, step)
    states, own = trainer._train(states, feed)
    logs.append(seeds_lib.stack(own, together=trainer._together))
  return states, logs


def sources_of(case: Any) -> int:
  """Returns 2, or 1 for a method with a pass over the source, which the loop takes only one of."""
  cls, fields = case
  passes = make_run(cls, Path(), **fields).method.domain_passes()
  return 1 if any(each.domain == 'source' for each in passes) else 2


def assert_alike(found: Any, expected: Any, tolerance: float) -> None:
  """Compares states: weights and every collection, on every device."""
  wanted = checkpoint.flatten(expected)
  leaves, _ = jax.tree_util.tree_flatten_with_path(found)
  assert len(leaves) == len(wanted)
  for path, leaf in leaves:
    name = jax.tree_util.keystr(path, simple=True, separator='.')
    for shard in leaf.addressable_shards:
      np.testing.assert_allclose(
        shard.data, wanted[name], rtol=tolerance, atol=tolerance, err_msg=f'{name} {shard.device}'
      )


# Compilations are what these tests cost, and a program that two of them need is compiled once. So
# pmap is tried on one source here, and shard_map on two in the tests below.
def test_one_device_and_eight_agree(case: Any, tmp_path: Path) -> None:
  one = Parallel('pmap', BATCH, jax.devices()[:1])
  expected, expected_logs = train(case, tmp_path / 'one', one)
  found, logs = train(case, tmp_path / 'eight', Parallel('pmap', BATCH))
  assert_alike(found, expected, 1e-5)
  assert_same_logs(logs, expected_logs)
  moved = [np.abs(a - b).max() for a, b in _changes(case, tmp_path / 'start', one, expected)]
  assert max(moved) > 1e-4, 'the method moves nothing'


def assert_same_logs(found: list[dict], expected: list[dict]) -> None:
  """Compares all that was logged, which must be finite."""
  for own, wanted in zip(found, expected, strict=True):
    assert own.keys() == wanted.keys()
    for name, value in wanted.items():
      assert np.isfinite(value).all(), name
      np.testing.assert_allclose(own[name], value, rtol=1e-4, atol=1e-5, err_msg=name)


def _changes(case: Any, folder: Path, devices: Parallel, states: Any) -> Any:
  """Returns pairs of arrays, after and before: weights, or states where no weights are trained."""
  trainer = Trainer(make_run(case[0], folder, steps=STEPS, **case[1]), devices)
  start = trainer._created()
  trains = any(phase.trains != () for phase in trainer._run.method.phases())
  of = lambda state: jax.tree.leaves(state.params if trains else state.states)
  pairs = zip(of(states[0]), of(start[0]), strict=True)
  return [(np.asarray(a), np.asarray(b)) for a, b in pairs]


def test_interrupted_equals_undisturbed(
  case: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  cls, fields = case
  options = {'steps': STEPS, 'distribute': 'shard_map', 'sources': sources_of(case)}
  run = functools.partial(make_run, cls, **options, **fields)
  fit(run(tmp_path / 'whole'))
  interrupt_at(monkeypatch, 3)
  with pytest.raises(Preempted, match='step 3 of 4'):
    fit(run(tmp_path / 'cut'))
  monkeypatch.undo()
  fit(run(tmp_path / 'cut'))
  assert_same_run(tmp_path / 'whole', tmp_path / 'cut')


def interrupt_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
  """Sends this process a SIGTERM while training step `step` runs."""
  train, calls = Trainer._train, []

  def interrupted(self: Trainer, *args: Any) -> Any:
    calls.append(1)
    if len(calls) == step:
      os.kill(os.getpid(), signal.SIGTERM)
    return train(self, *args)

  monkeypatch.setattr(Trainer, '_train', interrupted)


def assert_same_run(whole: Path, cut: Path) -> None:
  """Asserts that weights, states and all logged values but times are equal, bit for bit."""
  (step, arrays, _), (own_step, own, _) = (
    checkpoint.Checkpoints(folder / 'checkpoints').latest() for folder in (whole, cut)
  )
  assert step == own_step
  assert arrays.keys() == own.keys()
  for name, array in arrays.items():
    np.testing.assert_array_equal(own[name], array, err_msg=name)
  records, own_records = (
    [{k: v for k, v in record.items() if k not in TIMES} for record in read(f / 'metrics.jsonl')]
    for f in (whole, cut)
  )
  assert own_records == records
  results = [json.loads((f / 'result.json').read_text()) for f in (whole, cut)]
  assert results[0]['accuracy'] == results[1]['accuracy']


def test_seeds_and_devices_agree_on_two_sources(case: Any, tmp_path: Path) -> None:
  options = {'sources': sources_of(case)}
  one = Parallel('pmap', BATCH, jax.devices()[:1])
  alone, logs = train(case, tmp_path / 'alone', one, seeds=(2,), **options)
  turns, _ = train(case, tmp_path / 'turns', one, seeds=(0, 1, 2), **options)
  assert_alike(turns[2], alone[0], 1e-6)
  eight = Parallel('shard_map', BATCH)
  spread, own_logs = train(case, tmp_path / 'eight', eight, seeds=(2,), **options)
  assert_alike(spread, alone, 1e-5)
  assert_same_logs(own_logs, logs)


def test_target_labels_reach_only_methods_that_say_so(case: Any, tmp_path: Path) -> None:
  cls, fields = case
  trainer = Trainer(make_run(cls, tmp_path, **fields))
  batch = trainer._inputs.example(0)
  assert (batch.source is not None) == ('source' in cls.reads)
  assert (batch.target is not None) == ('target' in cls.reads)
  assert (batch.labelled_target is not None) == ('labelled_target' in cls.reads)
  if batch.target is not None:
    assert (batch.target.labels is not None) == ('target_labels' in cls.reads)
    held = trainer._inputs.arrays['target'][0]
    assert ('labels' in held) == ('target_labels' in cls.reads)


def test_documentation(case: Any) -> None:
  cls, _ = case
  from experiments import flags

  if not cls.__module__.startswith('tlda'):
    return
  described = flags.attribute_help(cls)
  missing = [name for name in flags.fields(cls) if not described.get(name)]
  assert not missing, f'no line under Attributes: for {missing}'
