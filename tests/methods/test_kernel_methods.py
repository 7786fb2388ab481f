"""DAN, JAN and DSAN: discrepancies of a batch, against float64 NumPy."""

from pathlib import Path

import jax
import numpy as np

from tests.methods.probe import Probe, probe, softmax
from tests.references import kernels
from tlda.methods import DAN, DSAN, JAN

RAMP = 2 / (1 + np.exp(-10 * 2 / 4)) - 1  # at step 2 of 4


def rows(here: Probe) -> tuple[list[np.ndarray], list[np.ndarray]]:
  """Returns features and logits of both domains."""
  outputs = here.outputs()
  return tuple(
    [np.asarray(getattr(o, x), np.float64) for o in outputs] for x in ('features', 'logits')
  )


def test_dan_adds_the_discrepancies_of_features_and_logits(tmp_path: Path) -> None:
  here = probe(DAN, tmp_path, weight=0.5)
  expected = 0.5 * sum(kernels.maximum_mean_discrepancy(*layer) for layer in rows(here))
  assert expected > 1e-3
  np.testing.assert_allclose(here.terms()['discrepancy'], expected, rtol=1e-4)


def test_jan_compares_joint_distributions_more_and_more(tmp_path: Path) -> None:
  here = probe(JAN, tmp_path, kernels=3)
  features, logits = rows(here)
  distance = kernels.joint_maximum_mean_discrepancy(*features, *map(softmax, logits), kernels=3)
  assert here.terms()['discrepancy'] == 0
  np.testing.assert_allclose(here.but(at=2).terms()['discrepancy'], RAMP * distance, rtol=1e-4)


def test_dsan_compares_classes_and_holds_their_weights(tmp_path: Path) -> None:
  here = probe(DSAN, tmp_path, weight=2.0)
  features, logits = rows(here)
  labels, probabilities = np.asarray(here.batch.source.labels), softmax(logits[1])
  distance = kernels.local_maximum_mean_discrepancy(*features, labels, probabilities)
  np.testing.assert_allclose(here.but(at=2).terms()['discrepancy'], 2 * RAMP * distance, rtol=1e-4)
  head = here.but(at=2).slope('discrepancy')['head']
  assert all((leaf == 0).all() for leaf in jax.tree.leaves(head)), 'probabilities got a gradient'
