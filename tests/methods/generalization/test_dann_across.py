"""Adversaries that tell sources apart: their losses by hand, and the reversal."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests.methods.probe import Probe, assert_close, largest, probe, softmax
from tests.problem import BATCH, CLASSES
from tlda.methods.generalization import CDANN, DANNAcross


def says(here: Probe, name: str) -> np.ndarray:
  """What a discriminator says of the features of all sources, `[examples, logits]` float64."""
  net = jax.tree.map(lambda w: np.asarray(w, np.float64), here.state.params[name])
  (outputs,) = here.outputs()
  x = np.asarray(outputs.features, np.float64)
  x = np.maximum(x @ net['hidden1']['kernel'] + net['hidden1']['bias'], 0)
  return x @ net['logits']['kernel'] + net['logits']['bias']


def test_the_loss_over_sources_by_hand(tmp_path: Path) -> None:
  here = probe(DANNAcross, tmp_path, sources=2, at=2)
  shares = softmax(says(here, 'discriminator'))
  assert shares.shape == (2 * BATCH, 2)
  expected = -np.log([*shares[:BATCH, 0], *shares[BATCH:, 1]]).mean()
  np.testing.assert_allclose(here.terms()['domain'], expected, rtol=1e-5)


def test_each_class_weighs_the_same_within_each_source(tmp_path: Path) -> None:
  here = probe(CDANN, tmp_path, sources=2, at=2)
  labels = np.asarray(here.batch.source.labels)
  assert len({tuple(np.bincount(row, minlength=CLASSES)) for row in labels}) == 2
  pooled = says(here, 'discriminator').reshape(2, BATCH, 2)
  of_class = says(here, 'conditional').reshape(2, BATCH, CLASSES, 2)
  expected: dict[str, list[float]] = {'normalized': [], 'conditional': []}
  for source in range(2):
    for label in range(CLASSES):
      rows = labels[source] == label
      for name, logits in (
        ('normalized', pooled[source, rows]),
        ('conditional', of_class[source, rows, label]),
      ):
        expected[name].append(-np.log(softmax(logits)[:, source]).mean())
  terms = here.terms()
  for name, values in expected.items():
    np.testing.assert_allclose(terms[name], np.mean(values), rtol=1e-5)


def test_a_class_that_a_batch_lacks_weighs_nothing(tmp_path: Path) -> None:
  here = probe(CDANN, tmp_path, sources=2)
  labels = np.repeat([[0], [1]], BATCH, axis=1).astype(np.int32)
  labels[0, 0] = 2
  found = np.asarray(here.method.shares(labels))
  # Of each class and source a third and a half; 15 examples share one of these.
  expected = np.full((2, BATCH), 1 / 6 / BATCH)
  expected[0] = 1 / 6 / (BATCH - 1)
  expected[0, 0] = 1 / 6
  np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
  ('cls', 'term', 'own'),
  [(DANNAcross, 'domain', 'discriminator'), (CDANN, 'conditional', 'conditional')],
)
def test_the_extractor_gets_the_reversed_gradient(
  cls: Any, term: str, own: str, tmp_path: Path
) -> None:
  here = probe(cls, tmp_path, sources=2, at=2)
  plain, turned = (here.but(weight=weight).slope(term) for weight in (-1.0, 0.5))
  assert_close(turned['extractor'], jax.tree.map(lambda x: -0.5 * x, plain['extractor']))
  assert largest(turned['extractor']) > 1e-5
  assert_close(turned[own], plain[own])
