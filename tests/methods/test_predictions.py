"""Methods that look at the target's predictions alone: their terms, and that batches are whole."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests.methods.probe import Probe, probe, softmax
from tlda.methods import BNM, MCC, InformationMaximization, Method, MinimumEntropy


def target_logits(here: Probe) -> np.ndarray:
  """Returns the target's logits, as they are in training."""
  parts = here.batch.parts()
  inputs, domain = (np.concatenate([getattr(p, n) for p in parts]) for n in ('inputs', 'domain'))
  logits = here.forward(inputs, domain).logits
  return np.asarray(logits, np.float64)[len(parts[0].index) :]


def entropy(probabilities: np.ndarray) -> np.ndarray:
  return -(probabilities * np.log(probabilities)).sum(axis=-1)


def confusion(logits: np.ndarray) -> float:
  y = softmax(logits / 2.5)
  matrix = sum((1 + np.exp(-entropy(row))) * np.outer(row, row) for row in y)
  return 1 - np.mean(np.diag(matrix) / matrix.sum(axis=1))


def nuclear_norm(logits: np.ndarray) -> float:
  return -np.linalg.norm(softmax(logits), 'nuc') / len(logits)


def information(logits: np.ndarray) -> float:
  y = softmax(logits)
  return 0.1 * (entropy(y).mean() - entropy(y.mean(axis=0)))


@pytest.mark.parametrize(
  ('cls', 'term', 'expected'),
  [
    (BNM, 'nuclear_norm', nuclear_norm),
    (InformationMaximization, 'information', information),
    (MCC, 'confusion', confusion),
    (MinimumEntropy, 'entropy', lambda logits: 0.01 * entropy(softmax(logits)).mean()),
  ],
)
def test_the_term_is_that_of_the_targets_predictions(
  cls: type[Method], term: str, expected: Any, tmp_path: Path
) -> None:
  here = probe(cls, tmp_path)
  np.testing.assert_allclose(here.terms()[term], expected(target_logits(here)), rtol=1e-5)


def test_the_weights_of_mcc_have_no_gradient(tmp_path: Path) -> None:
  here = probe(MCC, tmp_path)
  logits = target_logits(here)
  bias = lambda grads: np.asarray(grads['head']['logits']['bias'], np.float64)

  # The bias of the head moves all logits alike: its gradient is the slope along one logit.
  weights = 1 + np.exp(-entropy(softmax(logits / 2.5)))

  def fixed(shift: np.ndarray) -> float:
    y = softmax((logits + shift) / 2.5)
    matrix = (weights[:, None] * y).T @ y
    return 1 - np.mean(np.diag(matrix) / matrix.sum(axis=1))

  width = 1e-5
  slope = [(fixed(width * e) - fixed(-width * e)) / (2 * width) for e in np.eye(logits.shape[1])]
  found = bias(here.slope('confusion'))
  np.testing.assert_allclose(found, slope, rtol=1e-4, atol=1e-7)
  assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))
