"""Central moment discrepancy: of bounded features, order by order."""

from pathlib import Path

import jax
import numpy as np

from tests.methods.probe import probe
from tlda.methods import CMD


def test_the_first_order_compares_means_of_bounded_features(tmp_path: Path) -> None:
  here = probe(CMD, tmp_path, moments=1, weight=0.5, span=2.0)
  features = [np.asarray(o.features, np.float64) for o in here.outputs()]
  gap = np.tanh(features[0]).mean(axis=0) - np.tanh(features[1]).mean(axis=0)
  expected = 0.5 * np.sqrt((gap**2).sum()) / 2
  np.testing.assert_allclose(here.terms()['discrepancy'], expected, rtol=1e-5)


def test_features_a_million_times_as_large_are_bounded(tmp_path: Path) -> None:
  here = probe(CMD, tmp_path)
  large = jax.tree.map(lambda w: 1e6 * w, here.state.params)
  # Orders 1 to 5 of 12 features within [-1, 1]: each moment differs by 2^k at most.
  assert (
    0 < here.but(params=large).terms()['discrepancy'] < np.sqrt(12) * sum(2.0**k for k in range(6))
  )
