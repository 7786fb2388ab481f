"""What a training takes of a finished run: the network, and no state of its method."""

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest

from tests.methods.probe import same
from tests.problem import BATCH, make_run
from tlda.errors import UserError
from tlda.methods import WeightAverage
from tlda.training import start
from tlda.training.fit import Trainer, fit
from tlda.training.parallel import Parallel


def test_weights_and_statistics_are_taken_and_states_begin_anew(tmp_path: Path) -> None:
  make = lambda name, **options: make_run(WeightAverage, tmp_path / name, steps=2, **options)
  created = lambda run: Trainer(run, Parallel('pmap', BATCH, jax.devices()[:1]))._created()[0]
  first = make('first')
  fit(first)
  drawn = created(make('drawn'))
  state = created(make('second', initial=tmp_path / 'first'))
  assert not same(state.params, drawn.params)
  statistics = jax.tree.leaves(state.states['batch_stats'])
  assert any(np.asarray(leaf).any() for leaf in statistics)
  assert not same(state.states['batch_stats'], drawn.states['batch_stats'])
  # The first run's average lies behind its weights; that of the second has nothing behind it.
  assert same(state.states['teacher']['params'], state.params)


def test_what_is_known_is_not_drawn_and_the_rest_is_drawn_as_ever(tmp_path: Path) -> None:
  """Known arrays cost no draw: all of them known, the compiled program computes nothing."""
  make = lambda name, **options: make_run(WeightAverage, tmp_path / name, steps=2, **options)
  trainer = lambda run: Trainer(run, Parallel('pmap', BATCH, jax.devices()[:1]))
  drawn = trainer(make('drawn'))._created()[0]
  two = lambda variables: jax.tree.map(lambda x: np.full(x.shape, 2, x.dtype), variables)
  begun = trainer(dataclasses.replace(make('loaded'), weights=two))._created()[0]
  assert all((np.asarray(leaf) == 2).all() for leaf in jax.tree.leaves(begun.params['extractor']))
  assert same(begun.params['head'], drawn.params['head'])
  assert same(begun.states['teacher']['params'], begun.params)

  draw = lambda seed: {'x': jax.random.normal(jax.random.key(seed), (8,)), 'seed': seed}
  flops = lambda known: (
    jax.jit(lambda seed: start.without(draw(seed), known)).lower(0).compile().cost_analysis()
  ).get('flops', 0)
  assert flops({'x'}) == 0 < flops({'y'})


def test_weights_of_another_backbone_are_refused() -> None:
  x = np.zeros(1)
  own = {'params.extractor.backbone.conv.kernel': x, 'params.extractor.adapters.conv.up.kernel': x}
  own |= {'params.head.kernel': x}
  same = {'params.extractor.backbone.conv.kernel': x, 'params.head.kernel': x}
  start._check_backbone(same, own)  # Adapters are new.
  start._check_backbone({'params.old_head.kernel': x}, own)  # No weights of a backbone at all.
  with pytest.raises(UserError, match='another backbone: they lack 1 of the 1 arrays of this one'):
    start._check_backbone({'params.extractor.dense.kernel': x, 'params.head.kernel': x}, own)
