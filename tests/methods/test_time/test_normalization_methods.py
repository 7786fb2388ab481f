"""TENT, EATA, CoTTA and the statistics of a batch: what moves, and what is answered."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from flax import traverse_util

from tests.methods.probe import Probe, probe, same, softmax
from tests.methods.test_normalization import normalized, statistics
from tlda.errors import UserError
from tlda.methods.test_time import EATA, TENT, BatchNormAdaptation, CoTTA
from tlda.models import backbones

SCALE_AND_BIAS = {('extractor', 'Normalization_0', name) for name in ('scale', 'bias')}


def answer(here: Probe) -> np.ndarray:
  say = jax.jit(lambda: here.apply('answer', here.batch, here.context))
  return np.asarray(say(), np.float64)


def entropy(logits: np.ndarray) -> np.ndarray:
  shares = softmax(logits)
  return -(shares * np.log(shares)).sum(axis=1)


def by_hand(here: Probe, mean: np.ndarray, var: np.ndarray) -> np.ndarray:
  """The logits of the small network, in float64, with given statistics."""
  weights = jax.tree.map(lambda x: np.asarray(x, np.float64), here.state.params)
  own, last = weights['extractor']['Normalization_0'], weights['extractor']['Dense_1']
  x = (normalized(here, here.batch.target) - mean) / np.sqrt(var + 1e-5)
  x = np.maximum(x * own['scale'] + own['bias'], 0)
  features = np.tanh(x @ last['kernel'] + last['bias'])
  return features @ weights['head']['logits']['kernel'] + weights['head']['logits']['bias']


def changed(before: Any, after: Any) -> set[tuple[str, ...]]:
  """The paths of all weights that moved."""
  old, new = traverse_util.flatten_dict(before), traverse_util.flatten_dict(after)
  return {path for path in old if not np.array_equal(old[path], new[path])}


def test_tent_answers_by_the_batch_and_minimises_its_entropy(tmp_path: Path) -> None:
  here = probe(TENT, tmp_path)
  values = normalized(here, here.batch.target)
  expected = by_hand(here, values.mean(axis=0), values.var(axis=0))
  np.testing.assert_allclose(answer(here), expected, rtol=1e-4, atol=1e-5)
  np.testing.assert_allclose(here.terms()['entropy'], entropy(expected).mean(), rtol=1e-5)
  after = here.step()[0]
  assert changed(here.state.params, after.params) == SCALE_AND_BIAS
  surer = here.but(params=after.params)
  assert surer.terms()['entropy'] < here.terms()['entropy']


@pytest.mark.parametrize('prior', [0.0, 16.0])
def test_statistics_are_mixed_by_the_formula_and_forgotten(prior: float, tmp_path: Path) -> None:
  here = probe(BatchNormAdaptation, tmp_path, prior=prior)
  share = prior / (prior + len(here.batch.target.index))
  for step in (0, 1):  # The source's statistics are those of the start: 0 and 1.
    here = here.but(batch=here.batch_of(step))
    values = normalized(here, here.batch.target)
    mean, var = (1 - share) * values.mean(axis=0), share + (1 - share) * values.var(axis=0)
    expected = by_hand(here, mean, var)
    np.testing.assert_allclose(answer(here), expected, rtol=1e-4, atol=1e-5)
    after = here.step()[0]
    assert not changed(here.state.params, after.params)
    np.testing.assert_allclose(statistics(after)['mean'], mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(statistics(after)['var'], var, rtol=1e-4)
    here = here.but(**after.states)


def test_eata_chooses_the_sure_and_the_new(tmp_path: Path) -> None:
  here = probe(EATA, tmp_path, margin=0.9, redundancy=0.95, memory=0.5)
  logits = answer(here)
  shares, bound = softmax(logits), 0.9 * np.log(3)
  seen = shares[entropy(logits).argmin()]
  here = here.but(predictions={'mean': np.float32(seen)})
  cosine = shares @ seen / np.linalg.norm(shares, axis=1) / np.linalg.norm(seen)
  chosen = (entropy(logits) < bound) & (cosine < 0.95)
  assert 0 < chosen.sum() < (entropy(logits) < bound).sum() < len(logits)
  terms, states = here.run()
  weighted = np.exp(bound - entropy(logits)) * entropy(logits)
  np.testing.assert_allclose(terms['entropy'], weighted[chosen].mean(), rtol=1e-4)
  mean = 0.5 * seen + 0.5 * shares[chosen].mean(axis=0)
  np.testing.assert_allclose(states['predictions']['mean'], mean, rtol=1e-5)
  assert terms['anchor'] == 0  # Nothing has moved yet.


def test_eata_holds_on_by_the_squared_gradient(tmp_path: Path) -> None:
  here = probe(EATA, tmp_path, weight=7.0, margin=1.0, redundancy=1.0)
  labels = answer(here).argmax(axis=1)

  def loss(bias: jax.Array) -> jax.Array:
    params = jax.tree.map(lambda x: x, here.state.params)
    params['extractor']['Normalization_0']['bias'] = bias
    logits = here.but(params=params).apply('answer', here.batch, here.context)
    return -jax.nn.log_softmax(logits)[np.arange(len(labels)), labels].mean()

  start = here.state.params['extractor']['Normalization_0']['bias']
  gradient = np.asarray(jax.grad(loss)(start))
  before = {'batches': np.float32(1), 'mean': here.state.states['fisher']['mean']}
  moved = jax.tree.map(lambda x: x, here.state.params)
  moved['extractor']['Normalization_0']['bias'] = start + 0.5
  there = here.but(params=moved, fisher=before)
  terms, states = there.run()
  found = states['fisher']['mean']['extractor']['Normalization_0']['bias']
  np.testing.assert_allclose(found, gradient**2 / 2, rtol=1e-3, atol=1e-9)
  np.testing.assert_allclose(terms['anchor'], 7 * (gradient**2 / 2 * 0.25).sum(), rtol=1e-3)
  assert changed(moved, there.step()[0].params) == SCALE_AND_BIAS


def test_cotta_averages_views_in_doubt_and_weights_go_back(tmp_path: Path) -> None:
  here = probe(CoTTA, tmp_path, threshold=1.0, decay=0.75, restore=0.5)
  other = jax.tree.map(lambda x: x + 0.1, here.state.params)
  here = here.but(teacher={'params': other})
  domain = here.batch.target.domain
  look = jax.jit(lambda inputs, params: here.but(params=params).forward(inputs, domain))
  views = [look(view, other).logits for view in here.batch.target.views.values()]
  np.testing.assert_allclose(answer(here), np.mean(views, axis=0), rtol=1e-4, atol=1e-5)
  sure = here.but(threshold=0.0)
  plain = np.asarray(look(here.batch.target.inputs, other).logits, np.float64)
  np.testing.assert_allclose(answer(sure), plain, rtol=1e-4, atol=1e-5)
  student = np.log(softmax(look(here.batch.target.inputs, here.state.params).logits))
  expected = -(softmax(plain) * student).sum(axis=1).mean()
  np.testing.assert_allclose(sure.terms()['teacher'], expected, rtol=1e-4)

  source, params = (jax.tree.map(lambda x, n=n: x * 0 + n, other) for n in (1.0, 2.0))
  variables = {'params': params, 'teacher': {'params': other}, 'source': {'params': source}}
  after = here.method.after_update(variables, here.context)
  values = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(after['params'])])
  assert set(values) == {1.0, 2.0}
  assert abs((values == 1).mean() - 0.5) < 0.05
  teacher = jax.tree.map(lambda old: 0.75 * old + 0.5, other)
  jax.tree.map(np.testing.assert_allclose, after['teacher']['params'], teacher)
  kept = here.but(restore=0.0).method.after_update(variables, here.context)['params']
  assert same(kept, params)


@pytest.mark.parametrize('cls', [TENT, BatchNormAdaptation, EATA, CoTTA])
def test_a_network_without_batch_normalisation_is_refused(cls: Any, tmp_path: Path) -> None:
  plain = backbones.network('mlp', classes=3).extractor
  with pytest.raises(UserError, match=f'{cls.__name__} adapts batch normalisation, and this net'):
    probe(cls, tmp_path, extractor=plain)
