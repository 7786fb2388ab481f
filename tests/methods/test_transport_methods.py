"""Sinkhorn alignment and DeepJDOT: plans of a batch, against float64 NumPy."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from tests.methods.probe import Probe, probe
from tests.references import transport
from tlda.methods import DeepJDOT, SinkhornAlignment

CONVERGED = {'regularization': 0.5, 'iterations': 100}


def features(here: Probe) -> list[np.ndarray]:
  """Returns the features of both domains."""
  return [np.asarray(o.features, np.float64) for o in here.outputs()]


def test_sinkhorn_is_the_divergence_of_features(tmp_path: Path) -> None:
  here = probe(SinkhornAlignment, tmp_path, weight=0.3, **CONVERGED)
  expected = 0.3 * transport.sinkhorn_divergence(*features(here), **CONVERGED)
  assert expected > 1e-3
  np.testing.assert_allclose(here.terms()['transport'], expected, rtol=1e-3)


def test_domains_that_are_one_need_no_transport(tmp_path: Path) -> None:
  here = probe(SinkhornAlignment, tmp_path)
  here = here.but(batch=here.batch.replace(target=here.batch.source.replace(labels=None)))
  gradient = here.slope('transport')
  assert max(np.abs(leaf).max() for leaf in jax.tree.leaves(gradient)) < 1e-5
  np.testing.assert_allclose(here.terms()['transport'], 0, atol=1e-5)


def test_deep_jdot_prices_features_and_labels(tmp_path: Path) -> None:
  weights = {'feature_weight': 0.2, 'label_weight': 0.7}
  here = probe(DeepJDOT, tmp_path, **weights, **CONVERGED)
  logits = np.asarray(here.outputs()[1].logits, np.float64)
  labels = np.asarray(here.batch.source.labels)
  expected = transport.joint_distribution_transport(
    *features(here), labels, logits, **weights, **CONVERGED
  )
  np.testing.assert_allclose(here.terms()['transport'], expected, rtol=1e-4)


def test_deep_jdot_teaches_the_target_the_labels_that_are_carried_to_it(tmp_path: Path) -> None:
  # Of labels alone and one label: any plan carries it, so the gradient is that of its
  # cross-entropy on the target.
  here = probe(DeepJDOT, tmp_path, feature_weight=0.0, label_weight=1.0)
  source = here.batch.source
  here = here.but(
    batch=here.batch.replace(source=source.replace(labels=jnp.ones_like(source.labels)))
  )
  found = here.slope('transport')['head']['logits']['bias']
  logits = np.asarray(here.outputs()[1].logits, np.float64)
  probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
  np.testing.assert_allclose(found, probabilities.mean(axis=0) - [0, 1, 0], rtol=1e-4)
