"""What every method must satisfy, found by its export: a new one is covered by being written."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest

from tests import memory
from tests.problem import BATCH, SmallConvolutions, make_run
from tlda import methods
from tlda.data.augmentation import VIEWS
from tlda.training import checkpoint
from tlda.training import seeds as seeds_lib
from tlda.training.fit import Trainer
from tlda.training.logs import read
from tlda.training.parallel import STYLES, Parallel
from tlda.training.preemption import Preempted
from tlda.training.run import Run
from tlda.training.state import TrainState

STEPS = 4
# At the defaults a few steps are sure of nothing, and terms that wait for that would be untried;
# and each repeat of a phase is compiled by itself: two show what five do.
FIELDS = {
  'can': {'radius': 1.0, 'members': 1},
  'fish': {'inner_rate': 0.3},
  'eata': {'margin': 1.0, 'redundancy': 1.0},
  'fixmatch': {'threshold': 0.35},
  'group_dro': {'rate': 1.0},
  'irm': {'weight': 3.0},
  'knowledge_distillation': {'features': 0.5},
  'm3sda_beta': {'repeats': 2},
  'mcd': {'repeats': 2},
  'mean_teacher': {'threshold': 0.35},
  'mldg': {'inner_rate': 0.3},
  'mixstyle': {'extractor': SmallConvolutions(), 'probability': 1.0},
  'sagnet': {'extractor': SmallConvolutions(), 'stage': 1},
  'star': {'repeats': 2},
  'swad': {'interval': 1, 'converged': 1},
  'swd': {'repeats': 2},
  'wdgrl': {'critic_steps': 2},
}
CASES = {
  **{name: (methods.get(name), FIELDS.get(name, {})) for name in methods.names()},
  'afn stepwise': (methods.AFN, {'stepwise': True}),
}
# They correct the predictions for a batch, and keep nothing.
STILL = frozenset({methods.get('lame')})
TIMES = frozenset({'examples_per_second'})


# Of the whole file, so that what the tests of one method share is there as long as they run.
@pytest.fixture(params=CASES, scope='module')
def case(request: pytest.FixtureRequest) -> Iterator[tuple[type[methods.Method], dict[str, Any]]]:
  # Views that warp take as long to compile as all the rest: one method has one, others noise.
  noisy = lambda key, inputs: inputs + 0.3 * jax.random.uniform(key, inputs.shape)
  with pytest.MonkeyPatch.context() as patch:
    if request.param != 'fixmatch':
      for name in ('slight', 'strong'):
        patch.setitem(VIEWS, name, noisy)
    # What only the report shows knows nothing of methods.
    patch.setattr('tlda.training.fit.features', lambda *_: {})
    patch.setattr('tlda.training.fit.collect', lambda *_: ({}, None))
    patch.setattr('tlda.training.fit.explain', lambda *_: ({}, {}))
    yield CASES[request.param]
  memory.bound()


@pytest.fixture(scope='module')
def styles(case: Any) -> tuple[str, str]:
  """The style of the run on eight devices, and that of the run on one: in turn from case to case.

  Both run the same function of a device, and what they add to it knows nothing of methods: that
  they agree on eight is tested with toys (`tests/training/test_fit.py`).
  """
  cases = list(CASES.values())
  return STYLES if cases.index(case) % 2 else STYLES[::-1]


class Undisturbed(NamedTuple):
  """A finished run on eight devices, and the states that it began with, as host arrays."""

  trainer: Trainer
  start: TrainState

  @property
  def folder(self) -> Path:
    return self.trainer._run.workdir

  def starts(self, trainer: Trainer) -> None:
    """Has another run begin with the same states: they are created once for all of a method's."""
    trainer._created = lambda: seeds_lib.unstack(trainer._devices, self.start, together=False)


@pytest.fixture(scope='module')
def undisturbed(
  case: Any, styles: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Undisturbed:
  folder = tmp_path_factory.mktemp('undisturbed')
  trainer = Trainer(small_run(case, folder, seeds=(2,), distribute=styles[0]))
  run = Undisturbed(trainer, seeds_lib.stack(trainer._created(), together=False))
  run.starts(trainer)
  trainer.run()
  trainer.close()
  return run


def small_run(case: Any, folder: Path, **options: Any) -> Run:
  """Returns a run of a few steps, of two sources where the method allows it."""
  cls, fields = case
  return make_run(cls, folder, steps=STEPS, sources=sources_of(case), **options, **fields)


def train(trainer: Trainer) -> tuple[TrainState, TrainState, list[dict]]:
  """Trains a few steps of one seed without evaluation; returns first and last state, and logs."""
  states = trainer._created()
  start, logs = jax.tree.map(np.array, states[0]), []  # A copy: the next step takes the state.
  for step, feed in enumerate(trainer._inputs.feeds(trainer._run.seeds, 0, STEPS)):
    states = trainer._domain_passes(states, step)
    states, own = trainer._train(states, feed)
    logs.append(seeds_lib.stack(own, together=False))
  return start, states[0], logs


def sources_of(case: Any) -> int:
  """Returns 2, or 1 for a method with a pass over the source, which the loop takes only one of."""
  cls, fields = case
  passes = make_run(cls, Path(), **fields).method.domain_passes()
  return 1 if any(each.domain == 'source' for each in passes) else 2


# Compilations are what these tests cost: there are two programs of a step, always of two sources
# (one is what the tests of each method have), which the tests of a method share. Seeds take turns
# in a loop that knows no method: `tests/training/test_fit.py` has it.
def test_devices_and_styles_agree(
  case: Any, styles: tuple[str, str], undisturbed: Undisturbed, tmp_path: Path
) -> None:
  weights, logged = saved(undisturbed.folder)
  one = Parallel(styles[1], BATCH, jax.devices()[:1])
  trainer = Trainer(small_run(case, tmp_path, seeds=(2,)), one)
  undisturbed.starts(trainer)
  start, alone, logs = train(trainer)
  assert_alike(alone, weights)
  assert_same_logs(logs, logged)
  assert case[0] in STILL or largest_change(case, start, alone) > 1e-4, 'the method moves nothing'


def saved(folder: Path) -> tuple[dict[str, np.ndarray], list[dict]]:
  """Returns weights and every collection of a run, by name, and what it logged at each step."""
  _, arrays, _ = checkpoint.Checkpoints(folder / 'checkpoints').latest()
  return {name: array[0] for name, array in arrays.items()}, read(folder / 'metrics.jsonl')


def assert_alike(found: Any, expected: dict[str, np.ndarray]) -> None:
  """Compares a state to arrays by name: weights and every collection, on every device."""
  leaves, _ = jax.tree_util.tree_flatten_with_path(found)
  assert len(leaves) == len(expected)
  for path, leaf in leaves:
    name = jax.tree_util.keystr(path, simple=True, separator='.')
    for shard in leaf.addressable_shards:
      np.testing.assert_allclose(
        shard.data, expected[name], rtol=1e-5, atol=1e-5, err_msg=f'{name} {shard.device}'
      )


def assert_same_logs(found: list[dict], expected: list[dict]) -> None:
  """Compares all that was logged, which must be finite, with the records of a run."""
  for own, wanted in zip(found, expected, strict=True):
    assert own.keys() == {
      name for name in wanted if name.startswith(('loss/', 'norm/', 'monitor/'))
    }
    for name, value in own.items():
      assert np.isfinite(value).all(), name
      np.testing.assert_allclose(value, wanted[name], rtol=1e-4, atol=1e-5, err_msg=name)


def largest_change(case: Any, before: TrainState, after: TrainState) -> float:
  """Returns how far any weight moved, or any state where no weights are trained."""
  phases = make_run(case[0], Path(), **case[1]).method.phases()
  trains = any(phase.trains != () for phase in phases)
  of = lambda state: jax.tree.leaves(state.params if trains else state.states)
  pairs = zip(of(before), of(after), strict=True)
  return max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in pairs)


def test_interrupted_equals_undisturbed(
  case: Any,
  styles: tuple[str, str],
  undisturbed: Undisturbed,
  tmp_path: Path,
  monkeypatch: pytest.MonkeyPatch,
) -> None:
  trainer = Trainer(small_run(case, tmp_path, seeds=(2,), distribute=styles[0]))
  # The same programs, not traced anew: that new ones do the same is tested elsewhere.
  trainer._program = undisturbed.trainer._program
  trainer._evaluator = undisturbed.trainer._evaluator
  undisturbed.starts(trainer)
  interrupt_at(monkeypatch, 3)
  with pytest.raises(Preempted, match='step 3 of 4'):
    trainer.run()
  monkeypatch.undo()
  trainer.run()  # From the checkpoint.
  trainer.close()
  assert_same_run(undisturbed.folder, tmp_path)


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
  cls, _ = case
  trainer = Trainer(small_run(case, tmp_path))
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
