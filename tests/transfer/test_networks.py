"""Strategies that change the network: under methods, from run to run, and merged back."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from flax import traverse_util

from tests.problem import BATCH, SmallExtractor, make_run
from tests.transfer.test_strategies import LAYERS, STEPS, flat, train
from tlda import methods, transfer
from tlda.errors import UserError
from tlda.models import pretrained
from tlda.models.backbones import MiniLM
from tlda.models.low_rank import LowRank
from tlda.training import checkpoint
from tlda.training.checkpoint import Checkpoints
from tlda.training.fit import Trainer, fit
from tlda.training.parallel import Parallel
from tlda.transfer.strategy import locator

FROZEN = {'extractor': SmallExtractor('frozen')}
LORA = transfer.LoRA(rank=2, alpha=6.0)
IMAGES = np.random.default_rng(0).normal(size=(5, 8, 8, 1)).astype(np.float32)


def made(run: Any) -> checkpoint.Arrays:
  """The state at which a run begins, by names."""
  return checkpoint.flatten(Trainer(run)._created()[0])


@pytest.fixture(scope='module')
def lora_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
  folder = tmp_path_factory.mktemp('runs') / 'lora'
  run = make_run(methods.SourceOnly, folder, strategy=LORA, steps=6, **FROZEN)
  fit(dataclasses.replace(run, flags={**run.flags, 'lora.alpha': 6.0}))
  return folder


@pytest.mark.parametrize(
  ('method', 'strategy'),
  [
    (methods.VADA, LORA),
    (methods.VADA, transfer.StochNorm()),
    (methods.MeanTeacher, transfer.StochNorm()),
    (methods.MeanTeacher, transfer.Adapter(width=3)),
    (methods.STAR, transfer.StochNorm(moving=0.9)),
    (methods.DSBN, transfer.StochNorm()),
  ],
  ids=lambda case: getattr(case, '__name__', type(case).__name__),
)
def test_methods_that_apply_their_network_apart(
  method: type[methods.Method], strategy: transfer.Strategy, tmp_path: Path
) -> None:
  fields = {'repeats': 1} if method is methods.STAR else {}
  seen = train(make_run(method, tmp_path, strategy=strategy, steps=STEPS, **fields))
  locate = locator(LAYERS)
  for path, first in seen[0].items():
    assert np.isfinite(seen[-1][path]).all(), path
    assert strategy.moves(locate(path)) or (seen[-1][path] == first).all(), path
  assert any((seen[-1][path] != first).any() for path, first in seen[0].items())


def test_channels_of_stochastic_normalisation_are_drawn_at_every_step(tmp_path: Path) -> None:
  """Of a network that nothing moves, each step's loss differs by what was drawn alone."""

  class Still(transfer.StochNorm):
    def moves(self, leaf: Any) -> bool:
      return False

  run = make_run(methods.SourceOnly, tmp_path, strategy=Still(), steps=STEPS)
  trainer = Trainer(run, Parallel('pmap', BATCH, jax.devices()[:1]))
  losses = []
  for _ in range(2):
    states = trainer._created()
    same = trainer._inputs.feed(0, 0)
    for _ in range(3):
      states, logs = trainer._train(states, [same])
      losses.append(float(logs[0]['loss/task'].item()))
  assert len(set(losses[:3])) == 3
  assert losses[:3] == losses[3:]


def test_a_run_with_lora_is_read_as_merged_weights(lora_run: Path) -> None:
  arrays = Checkpoints(lora_run / 'checkpoints').latest()[1]
  inside = 'params.extractor.'
  params = {n.removeprefix(inside): a[0] for n, a in arrays.items() if n.startswith(inside)}
  params = traverse_util.unflatten_dict(params, sep='.')
  running = 'states.batch_stats.extractor.backbone.Normalization_0.'
  stats = {'Normalization_0': {name: arrays[running + name][0] for name in ('mean', 'var')}}
  trained = {'params': params, 'batch_stats': {'backbone': stats}}
  wanted = LowRank(FROZEN['extractor'], 2, 6.0).apply(trained, IMAGES)

  shapes = jax.eval_shape(FROZEN['extractor'].init, jax.random.key(0), IMAGES)
  loaded = pretrained.load(FROZEN['extractor'], shapes, pretrained.read(str(lora_run)))
  found = FROZEN['extractor'].apply(loaded, IMAGES)
  np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
  bare = {'params': params['backbone'], 'batch_stats': stats}
  assert np.abs(FROZEN['extractor'].apply(bare, IMAGES) - wanted).max() > 1e-3


def test_a_step_of_it_is_read_the_same_and_without_its_alpha_refused(
  lora_run: Path, tmp_path: Path
) -> None:
  whole = pretrained.read(str(lora_run))
  step = Checkpoints(lora_run / 'checkpoints').latest()[0]
  of_step = pretrained.read(str(lora_run / 'checkpoints' / str(step)))
  jax.tree.map(np.testing.assert_array_equal, of_step, whole)
  moved = tmp_path / 'moved'
  (lora_run / 'checkpoints' / str(step)).rename(moved)
  try:
    with pytest.raises(UserError, match=r'no config\.json of its run says their alpha'):
      pretrained.read(str(moved))
  finally:
    moved.rename(lora_run / 'checkpoints' / str(step))


def test_a_run_with_adapters_is_no_weights_of_its_backbone(tmp_path: Path) -> None:
  fit(make_run(methods.SourceOnly, tmp_path / 'run', strategy=transfer.Adapter(), **FROZEN))
  with pytest.raises(UserError, match='adapters, which cannot be merged'):
    pretrained.read(str(tmp_path / 'run'))


def test_a_changed_network_starts_from_a_bare_one_and_not_the_reverse(
  lora_run: Path, tmp_path: Path
) -> None:
  first = tmp_path / 'first'
  fit(make_run(methods.SourceOnly, first))
  trained = Checkpoints(first / 'checkpoints').latest()[1]
  for strategy in (LORA, transfer.Adapter(), transfer.StochNorm()):
    start = made(make_run(methods.DANN, tmp_path / 'second', strategy=strategy, initial=first))
    for name, array in trained.items():
      if name.startswith(('params.extractor', 'states.batch_stats')):
        wrapped = name.replace('extractor', 'extractor.backbone')
        np.testing.assert_array_equal(start[wrapped], array[0], err_msg=name)
  again = made(make_run(methods.DANN, tmp_path / 'second', strategy=LORA, initial=lora_run))
  kept = Checkpoints(lora_run / 'checkpoints').latest()[1]
  product = 'params.extractor.low_rank.Dense_1.up.kernel'
  assert again[product].any()
  np.testing.assert_array_equal(again[product], kept[product][0])
  with pytest.raises(UserError, match='of a backbone with low_rank'):
    made(make_run(methods.DANN, tmp_path / 'third', initial=lora_run))


def test_rates_that_would_unlearn_are_refused() -> None:
  for kind in (transfer.FineTune, transfer.StochNorm):
    with pytest.raises(UserError, match='backbone_rate must be 0 or above, not -1'):
      kind(backbone_rate=-1.0)
  for strategy, name in (
    (transfer.LPFT(backbone_rate=-1.0), '--lp_ft.backbone_rate'),
    (transfer.L2SP(alpha=-0.1), '--l2_sp.alpha'),
    (transfer.L2SP(beta=float('nan')), '--l2_sp.beta'),
  ):
    with pytest.raises(UserError, match=f'{name} must be 0 or above'):
      strategy.check([])


def test_settings_that_fit_nothing_are_refused() -> None:
  extractor = SmallExtractor()
  for strategy, words in (
    (transfer.LoRA(rank=0), 'rank must be 1 or above'),
    (transfer.LoRA(alpha=0.0), 'alpha must be above 0'),
    (transfer.LoRA(pattern='('), 'no regular expression'),
    (transfer.Adapter(width=0), 'width must be 1 or above'),
    (transfer.StochNorm(moving=1.5), r'moving must be in \[0, 1\]'),
  ):
    with pytest.raises(UserError, match=words):
      strategy.network(extractor)
  paths = ['extractor/backbone/Dense_0/kernel', 'extractor/backbone/pooled/kernel', 'head/x/kernel']
  leaves = [locator((('Dense_0',), ('pooled',)))(path) for path in paths]
  for strategy, words in (
    (transfer.LoRA(pattern='Dence_0'), "did you mean 'Dense_0'"),
    (transfer.LoRA(pattern='pooled'), 'names no dense layer or ungrouped convolution'),
    (transfer.Adapter(), 'the backbone has one layer'),
  ):
    with pytest.raises(UserError, match=words):
      strategy.check(leaves)
  transfer.LoRA().check([locator(LAYERS)('extractor/low_rank/Dense_0/up/kernel')])


def test_a_step_with_lora_is_cheaper_than_fine_tuning(tmp_path: Path) -> None:
  """No gradient of a frozen kernel is computed, and those of the products are small."""

  def flops(strategy: transfer.Strategy) -> float:
    run = make_run(methods.SourceOnly, tmp_path, strategy=strategy, **FROZEN)
    trainer = Trainer(run, Parallel('pmap', BATCH, jax.devices()[:1]))
    state = trainer._created()[0]
    feed = jax.tree.map(lambda x: x[0], trainer._inputs.feed(0, 0))
    step = lambda state: trainer._step(state, trainer._inputs.arrays, feed)
    return jax.jit(step).lower(state).compile().cost_analysis()['flops']

  saved = flops(transfer.FineTune()) - flops(transfer.LoRA(rank=1))
  # Of both dense layers the kernel's gradient, less what a product of rank 1 costs forth and back.
  kernels, products = 64 * 16 + 16 * 12, (64 + 16) + (16 + 12)
  assert saved > 2 * BATCH * (kernels - 3 * products)


def test_a_probe_learns_on_the_features_that_predict(tmp_path: Path) -> None:
  """Of the backbone nothing is dropped; under fine-tuning it is."""
  tokens = np.arange(1, 13, dtype=np.int32).reshape(2, 6)
  small = MiniLM(width=8, heads=2, depth=1, hidden=16, vocabulary=20, dropout=0.5)
  variables = small.init(jax.random.key(0), tokens)
  wanted = small.apply(variables, tokens)
  for strategy, same in ((transfer.LinearProbe(), True), (transfer.FineTune(), False)):
    seen = strategy.network(small).apply(
      variables, tokens, train=True, rngs={'dropout': jax.random.key(1)}
    )
    assert np.allclose(seen, wanted, atol=1e-6) == same


def test_what_a_run_says_of_its_parameters(tmp_path: Path) -> None:
  run = make_run(methods.SourceOnly, tmp_path, strategy=LORA, **FROZEN)
  locate = locator(LAYERS)
  found = {path: locate(path).is_new for path in flat(Trainer(run)._created()[0].params)}
  new = {path for path, is_new in found.items() if is_new}
  layers = {f'extractor/low_rank/Dense_{n}/{f}/kernel' for n in (0, 1) for f in ('down', 'up')}
  assert new == layers | {'head/logits/kernel', 'head/logits/bias'}
