"""DAN, JAN and DSAN: discrepancies of a batch, against float64 NumPy."""

from pathlib import Path

import jax
import numpy as np

from tests.methods.one_step import OneStep, softmax
from tests.references import kernels
from tlda.methods import DAN, DSAN, JAN

RAMP = 2 / (1 + np.exp(-10 * 2 / 4)) - 1  # at step 2 of 4


def rows(step: OneStep) -> tuple[list[np.ndarray], list[np.ndarray]]:
  """Returns features and logits of both domains."""
  outputs = step.apply('outputs', step.batch)
  return tuple(
    [np.asarray(getattr(o, x), np.float64) for o in outputs] for x in ('features', 'logits')
  )


def test_dan_adds_the_discrepancies_of_features_and_logits(tmp_path: Path) -> None:
  step = OneStep(tmp_path, DAN, weight=0.5)
  expected = 0.5 * sum(kernels.maximum_mean_discrepancy(*layer) for layer in rows(step))
  assert expected > 1e-3
  np.testing.assert_allclose(step.terms()['discrepancy'], expected, rtol=1e-4)


def test_jan_compares_joint_distributions_more_and_more(tmp_path: Path) -> None:
  step = OneStep(tmp_path, JAN, kernels=3)
  features, logits = rows(step)
  distance = kernels.joint_maximum_mean_discrepancy(*features, *map(softmax, logits), kernels=3)
  assert step.terms()['discrepancy'] == 0
  np.testing.assert_allclose(step.terms(step=2)['discrepancy'], RAMP * distance, rtol=1e-4)


def test_dsan_compares_classes_and_holds_their_weights(tmp_path: Path) -> None:
  step = OneStep(tmp_path, DSAN, weight=2.0)
  features, logits = rows(step)
  labels, probabilities = np.asarray(step.batch.source.labels), softmax(logits[1])
  distance = kernels.local_maximum_mean_discrepancy(*features, labels, probabilities)
  np.testing.assert_allclose(step.terms(step=2)['discrepancy'], 2 * RAMP * distance, rtol=1e-4)
  head = step.gradient('discrepancy', step=2)['head']
  assert all((leaf == 0).all() for leaf in jax.tree.leaves(head)), 'probabilities got a gradient'
