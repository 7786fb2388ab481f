"""Which views teach, and which learn."""

from pathlib import Path

import jax
import numpy as np

from tests.methods.probe import probe
from tlda.methods import FixMatch


def _log_softmax(logits: jax.Array) -> np.ndarray:
  logits = np.asarray(logits, np.float64)
  return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def test_terms_by_hand(tmp_path: Path) -> None:
  here = probe(FixMatch, tmp_path, threshold=0.4, weight=2.0)
  source, target = here.batch.source, here.batch.target
  views = [source.views['weak'], target.views['weak'], target.views['strong']]
  logits = _log_softmax(here.forward(np.concatenate(views), 0).logits)
  seen, weak, strong = logits[:16], logits[16:32], logits[32:]
  rows, labels = np.arange(16), weak.argmax(axis=1)
  sure = np.exp(weak.max(axis=1)) >= 0.4
  assert 0 < sure.sum() < 16
  terms = here.terms()
  np.testing.assert_allclose(terms['task'], -seen[rows, source.labels].mean(), rtol=1e-5)
  expected = -2 * (sure * strong[rows, labels]).mean()
  np.testing.assert_allclose(terms['consistency'], expected, rtol=1e-5)
  np.testing.assert_allclose(terms['monitor/confident'], sure.mean())


def test_where_no_view_is_sure_nothing_is_learned_of_the_target(tmp_path: Path) -> None:
  here = probe(FixMatch, tmp_path, threshold=1.0)
  loss = lambda params: here.but(params=params).terms()['consistency']
  assert not any(leaf.any() for leaf in jax.tree.leaves(jax.grad(loss)(here.state.params)))


def test_the_average_of_the_weights_predicts(tmp_path: Path) -> None:
  here = probe(FixMatch, tmp_path)
  state = here.train()
  inputs = here.batch.target.inputs
  mean = jax.tree.map(lambda a, b: (a + b) / 2, here.state.params, state.params)
  by_hand = {**state.variables, 'params': mean}
  expected = here.method.apply(by_hand, inputs, 1, method='forward', train=False)
  predicted = here.method.apply(state.variables, inputs, 1)
  np.testing.assert_allclose(predicted.logits, expected.logits, rtol=1e-4, atol=1e-5)
