"""MME: a cosine classifier, and an entropy that the head raises and the extractor lowers."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from tests.methods.probe import Probe, assert_close, largest, probe, softmax
from tlda.methods.few_labels import MME, SourceAndTarget


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
  labels = np.ravel(labels)
  return -np.log(softmax(logits))[np.arange(len(labels)), labels].mean()


def entropy(here: Probe, params: dict) -> jax.Array:
  variables = {'params': params, **here.state.states}
  options = {'method': 'outputs', 'mutable': list(here.state.states)}
  (_, target, _), _ = here.method.apply(variables, here.batch, **options)
  log_p = jax.nn.log_softmax(target.logits)
  return -(jnp.exp(log_p) * log_p).sum(axis=1).mean()


def test_terms_by_hand(tmp_path: Path) -> None:
  here = probe(MME, tmp_path, weight=0.3, temperature=0.5)
  source, target, labelled = here.outputs()
  head = here.state.params['head']['logits']
  features = np.asarray(target.features, np.float64)
  directions = features / np.linalg.norm(features, axis=1, keepdims=True)
  logits = directions / 0.5 @ np.asarray(head['kernel'], np.float64) + np.asarray(head['bias'])
  np.testing.assert_allclose(target.logits, logits, rtol=1e-4, atol=1e-5)
  p = softmax(logits)
  expected = {
    'task': cross_entropy(source.logits, here.batch.source.labels) / 2,
    'labelled': cross_entropy(labelled.logits, here.batch.labelled_target.labels) / 2,
    'entropy': 0.3 * (p * np.log(p)).sum(axis=1).mean(),
  }
  assert_close(here.terms(), expected)
  # dH / dz = -p (log p + H); of it the head gets the opposite, 0.3 times.
  surprise = -(p * np.log(p)).sum(axis=1, keepdims=True)
  slope = -p * (np.log(p) + surprise) / len(p)
  found = here.slope('entropy')['head']['logits']['kernel']
  assert_close(found, -0.3 * (directions / 0.5).T @ slope, atol=1e-6)


def test_the_entropy_is_raised_by_the_head_and_lowered_by_the_extractor(tmp_path: Path) -> None:
  here = probe(MME, tmp_path, weight=0.3)
  found = here.slope('entropy')
  plain = jax.jit(jax.grad(lambda params: entropy(here, params)))(here.state.params)
  for group, sign in (('head', -0.3), ('extractor', 0.3)):
    assert largest(plain[group]) > 1e-3
    assert_close(found[group], jax.tree.map(lambda x, s=sign: s * x, plain[group]), atol=1e-5)


def test_features_of_nothing_have_no_gradient(tmp_path: Path) -> None:
  here = probe(MME, tmp_path)
  value = lambda x: here.apply('classified', x, 0, train=True).sum()
  assert not np.asarray(jax.grad(value)(jnp.zeros((2, 12)))).any()


def test_source_and_target_count_alike(tmp_path: Path) -> None:
  here = probe(SourceAndTarget, tmp_path, sources=2)
  source, labelled = here.outputs()
  assert here.batch.target is None
  expected = {
    'task': cross_entropy(source.logits, here.batch.source.labels) / 2,
    'labelled': cross_entropy(labelled.logits, here.batch.labelled_target.labels) / 2,
  }
  assert_close(here.terms(), expected)
