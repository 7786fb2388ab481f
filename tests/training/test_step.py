"""One step: reversed gradients, phases, teachers and banks, against what they should be by hand."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests import toys
from tests.problem import BATCH, make_run
from tlda.errors import UserError
from tlda.methods import DANN, Batch, Context, Terms
from tlda.training import checkpoint
from tlda.training.fit import Trainer
from tlda.training.parallel import Parallel
from tlda.training.step import train_step


def test_dann_reverses_the_gradient_of_the_extractor_only(tmp_path: Path) -> None:
  trainer = Trainer(make_run(DANN, tmp_path), Parallel('pmap', BATCH, jax.devices()[:1]))
  state = trainer._created()[0]
  feed = jax.tree.map(lambda x: x[0], trainer._inputs.feed(0, 0))
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
  states, _ = trainer._train(states, [trainer._inputs.feed(0, 0)])
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


class Watched(DANN):
  """Logs how sure the target's predictions are, beside what it minimises."""

  def objective(self, batch: Batch, context: Context) -> Terms:
    _, target = self.outputs(batch)
    sure = jax.nn.softmax(target.logits).max(axis=-1).mean()
    return {**super().objective(batch, context), 'monitor/confidence': 1e6 * sure}


def test_what_is_watched_is_logged_and_not_minimised(tmp_path: Path) -> None:
  after = {}
  for cls in (DANN, Watched):
    run = make_run(cls, tmp_path / cls.__name__)
    trainer = Trainer(run, Parallel('pmap', BATCH, jax.devices()[:1]))
    states, logs = trainer._train(trainer._created(), [trainer._inputs.feed(0, 0)])
    after[cls] = states[0].params
  assert 'monitor/confidence' in logs[0]
  assert not any('confidence' in name for name in logs[0] if name.startswith('loss/'))
  jax.tree.map(np.testing.assert_array_equal, after[Watched], after[DANN])


class Choosy(DANN):
  """Refuses small batches."""

  def check(self, batch_size: int) -> None:
    if batch_size < 99:
      raise UserError(f'--batch_size={batch_size} is below the 99 that this method needs')


def test_a_method_refuses_before_anything_is_written(tmp_path: Path) -> None:
  with pytest.raises(UserError, match='--batch_size=16 is below the 99'):
    Trainer(make_run(Choosy, tmp_path / 'run'))
  assert not (tmp_path / 'run').exists()


def test_the_size_of_the_features_is_known_before_any_is_computed(tmp_path: Path) -> None:
  assert make_run(DANN, tmp_path).method.feature_size() == 12
