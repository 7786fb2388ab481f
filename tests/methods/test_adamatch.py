"""Each of the three parts, by hand."""

from pathlib import Path

import jax
import numpy as np
import pytest

from tests.methods.probe import Probe, probe
from tlda.methods import AdaMatch


def _softmax(logits: jax.Array) -> np.ndarray:
  odds = np.exp(np.asarray(logits, np.float64))
  return odds / odds.sum(axis=1, keepdims=True)


def _logits(here: Probe) -> tuple[list[np.ndarray], list[np.ndarray]]:
  source, target = here.batch.source, here.batch.target
  seen, hidden = here.apply('logits', source, target, here.context)
  return [np.asarray(x) for x in seen], [np.asarray(x) for x in hidden]


def test_source_logits_lie_at_random_between_those_of_two_batches(tmp_path: Path) -> None:
  here = probe(AdaMatch, tmp_path)
  source, target = here.batch.source.views, here.batch.target.views
  own = np.concatenate([source['weak'], source['strong']])
  together = np.concatenate([own, target['weak'], target['strong']])
  together = np.asarray(here.forward(together, 0).logits)
  alone = np.asarray(here.forward(own, 0).logits)
  seen, hidden = _logits(here)
  share = (np.concatenate(seen) - alone) / (together[:32] - alone)
  assert share.min() > -1e-2
  assert share.max() < 1 + 1e-2
  assert abs(share.mean() - 0.5) < 5 / np.sqrt(12 * share.size)
  assert len(np.unique(share.round(3))) > 0.8 * share.size, 'each logit has a share of its own'
  np.testing.assert_allclose(np.concatenate(hidden), together[32:], rtol=1e-4, atol=1e-5)


def test_running_statistics_are_those_of_both_domains(tmp_path: Path) -> None:
  here = probe(AdaMatch, tmp_path)
  views = [part.views[name] for part in here.batch.parts() for name in ('weak', 'strong')]
  _, written = here.method.apply(
    here.state.variables,
    np.concatenate(views),
    0,
    train=True,
    method='forward',
    mutable=['batch_stats'],
  )
  _, states = here.run()
  for found, expected in zip(
    jax.tree.leaves(states['batch_stats']), jax.tree.leaves(written['batch_stats']), strict=True
  ):
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_alignment_moves_the_target_to_the_classes_of_the_source(tmp_path: Path) -> None:
  here = probe(AdaMatch, tmp_path, memory=0.0)
  source = np.array([[0.6, 0.2, 0.2], [0.4, 0.2, 0.4]])  # Mean (.5, .2, .3)
  target = np.array([[0.1, 0.6, 0.3], [0.3, 0.2, 0.5]])  # Mean (.2, .4, .4)
  found, states = here.method.apply(
    here.state.variables, source, target, method='aligned', mutable=['expected']
  )
  # Multiplied by (2.5, .5, .75): (.25, .3, .225) and (.75, .1, .375), then normalised.
  expected = [np.array([0.25, 0.3, 0.225]) / 0.775, np.array([0.75, 0.1, 0.375]) / 1.225]
  np.testing.assert_allclose(found, expected, rtol=1e-4)
  np.testing.assert_allclose(states['expected']['source'], [0.5, 0.2, 0.3], rtol=1e-6)
  np.testing.assert_allclose(states['expected']['target'], [0.2, 0.4, 0.4], rtol=1e-6)


@pytest.mark.parametrize(('at', 'mu'), [(0, 0.0), (1, 0.5), (2, 1.0), (4, 1.0)])
def test_terms_by_hand(at: int, mu: float, tmp_path: Path) -> None:
  here = probe(AdaMatch, tmp_path, threshold=1.0, at=at)
  seen, (weak, strong) = _logits(here)
  q = _softmax(weak)
  marginals = [0.99 / 3 + 0.01 * p.mean(axis=0) for p in (_softmax(seen[0]), q)]
  q = q * (marginals[0] + 1e-6) / (marginals[1] + 1e-6)
  q /= q.sum(axis=1, keepdims=True)
  mask = q.max(axis=1) >= _softmax(seen[0]).max(axis=1).mean()
  assert 0 < mask.sum() < 16
  terms = here.terms()
  learned = -(q * np.log(_softmax(strong))).sum(axis=1)
  np.testing.assert_allclose(terms['consistency'], mu * (mask * learned).mean(), rtol=1e-4)
  labels = np.asarray(here.batch.source.labels)
  task = sum(-np.log(_softmax(view)[np.arange(16), labels]).mean() for view in seen)
  np.testing.assert_allclose(terms['task'], task, rtol=1e-4)
