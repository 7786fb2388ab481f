"""What every method must satisfy: found by its export, so a new one is covered by being written.

A toy method stands for those that read a few labels of the target, of which none is exported yet.
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
from tlda.data.augmentation import VIEWS
from tlda.training import checkpoint
from tlda.training import seeds as seeds_lib
from tlda.training.fit import Trainer, fit
from tlda.training.logs import read
from tlda.training.parallel import STYLES, Parallel
from tlda.training.preemption import Preempted
from tlda.training.state import TrainState

STEPS = 4
# At the defaults a few steps are sure of nothing, and terms that wait for that would be untried;
# and each repeat of a phase is compiled by itself: two show what five do.
FIELDS = {
  'can': {'radius': 1.0, 'members': 1},
  'fixmatch': {'threshold': 0.35},
  'knowledge_distillation': {'features': 0.5},
  'mcd': {'repeats': 2},
  'mean_teacher': {'threshold': 0.35},
  'star': {'repeats': 2},
  'swd': {'repeats': 2},
  'wdgrl': {'critic_steps': 2},
}
CASES = {
  **{name: (methods.get(name), FIELDS.get(name, {})) for name in methods.names()},
  'afn stepwise': (methods.AFN, {'stepwise': True}),
  'FewLabels': (toys.FewLabels, {}),
}
TIMES = frozenset({'examples_per_second'})


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Iterator[tuple[type[methods.Method], dict[str, Any]]]:
  # The strong view takes as long to compile as all the rest: one method has it, others noise.
  noisy = lambda key, inputs: inputs + 0.3 * jax.random.uniform(key, inputs.shape)
  with pytest.MonkeyPatch.context() as patch:
    if request.param != 'fixmatch':
      patch.setitem(VIEWS, 'strong', noisy)
    yield CASES[request.param]
  jax.clear_caches()  # The programs of all methods together take gigabytes.


def train(
  case: Any, folder: Path, devices: Parallel, **options: Any
) -> tuple[list[TrainState], list[TrainState], list[dict]]:
  """Trains a few steps without evaluation; returns first and last states, and the logs."""
  cls, fields = case
  options = {'steps': STEPS, 'sources': sources_of(case), **options}
  trainer = Trainer(make_run(cls, folder, **options, **fields), devices)
  states = trainer._created()
  start, logs = jax.tree.map(np.array, states), []  # A copy: states are given up to the next step.
  for step, feed in enumerate(trainer._inputs.feeds(trainer._run.seeds, 0, STEPS)):
    states = trainer._domain_passes(states, step)
    states, own = trainer._train(states, feed)
    logs.append(seeds_lib.stack(own, together=trainer._together))
  return start, states, logs


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


# Compilations are what these tests cost: there is one program for each style and number of devices,
# always of two sources (one is what the tests of each method have), compiled once for all tests.
def test_devices_styles_and_seeds_agree(case: Any, tmp_path: Path) -> None:
  one = Parallel('pmap', BATCH, jax.devices()[:1])
  start, alone, logs = train(case, tmp_path / 'alone', one, seeds=(2,))
  _, turns, _ = train(case, tmp_path / 'turns', one, seeds=(0, 1, 2))
  assert_alike(turns[2], alone[0], 1e-6)
  for style in STYLES:
    _, spread, own_logs = train(case, tmp_path / style, Parallel(style, BATCH), seeds=(2,))
    assert_alike(spread, alone, 1e-5)
    assert_same_logs(own_logs, logs)
  assert largest_change(case, start[0], alone[0]) > 1e-4, 'the method moves nothing'


def assert_same_logs(found: list[dict], expected: list[dict]) -> None:
  """Compares all that was logged, which must be finite."""
  for own, wanted in zip(found, expected, strict=True):
    assert own.keys() == wanted.keys()
    for name, value in wanted.items():
      assert np.isfinite(value).all(), name
      np.testing.assert_allclose(own[name], value, rtol=1e-4, atol=1e-5, err_msg=name)


def largest_change(case: Any, before: TrainState, after: TrainState) -> float:
  """Returns how far any weight moved, or any state where no weights are trained."""
  phases = make_run(case[0], Path(), **case[1]).method.phases()
  trains = any(phase.trains != () for phase in phases)
  of = lambda state: jax.tree.leaves(state.params if trains else state.states)
  pairs = zip(of(before), of(after), strict=True)
  return max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in pairs)


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
