"""JAN-A: theta climbs what the extractor descends."""

from pathlib import Path

import jax
import numpy as np
import pytest

from tests.methods.probe import Probe, probe
from tlda.methods import JAN, JANAdversarial

THETAS = {'feature_theta', 'prediction_theta'}


@pytest.fixture(scope='module')
def here(tmp_path_factory: pytest.TempPathFactory) -> Probe:
  return probe(JANAdversarial, tmp_path_factory.mktemp('run'))


def test_at_first_theta_is_the_identity_and_all_else_is_jan(here: Probe, tmp_path: Path) -> None:
  plain = probe(JAN, tmp_path)
  assert here.state.params.keys() == plain.state.params.keys() | THETAS
  np.testing.assert_allclose(
    here.but(at=2).terms()['discrepancy'], plain.but(at=2).terms()['discrepancy'], rtol=1e-5
  )
  found, expected = (x.but(at=2).slope('discrepancy') for x in (here, plain))
  for group in ('extractor', 'head'):
    for a, b in zip(*map(jax.tree.leaves, (found[group], expected[group])), strict=True):
      np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)


def test_theta_climbs_what_all_else_descends(here: Probe) -> None:
  gradient = here.but(at=2).slope('discrepancy')
  value = float(here.but(at=2).terms()['discrepancy'])
  rate = 1e-2
  for groups, way in ((THETAS, 1), ({'extractor', 'head'}, -1)):
    moved = {
      name: jax.tree.map(lambda w, g: w - rate * g, tree, gradient[name])
      if name in groups
      else tree
      for name, tree in here.state.params.items()
    }
    squared = sum((leaf**2).sum() for name in groups for leaf in jax.tree.leaves(gradient[name]))
    change = float(here.but(at=2, params=moved).terms()['discrepancy']) - value
    # To first order, and no more: the bandwidth, held in the gradient, moves a little.
    assert way * change > 0
    assert abs(change) < 3 * rate * squared
