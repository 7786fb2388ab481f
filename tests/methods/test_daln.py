"""DALN: the discrepancy of the whole batch in NumPy, and who climbs it."""

from pathlib import Path

import jax
import numpy as np

from tests.methods.probe import largest, probe
from tlda.methods import DALN


def test_the_head_climbs_the_discrepancy_and_the_extractor_descends(tmp_path: Path) -> None:
  here = probe(DALN, tmp_path, at=2, weight=2.0)

  def discrepancy(params: dict) -> float:
    outputs = here.but(params=params).outputs()
    norms = []
    for logits in (np.asarray(x.logits, np.float64) for x in outputs):
      p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
      norms.append(np.linalg.norm(p, 'nuc') / len(p))
    return norms[0] - norms[1]

  params = here.state.params
  before = discrepancy(params)
  np.testing.assert_allclose(here.terms()['discrepancy'], -2 * before, rtol=1e-4)
  slope = here.slope('discrepancy')
  assert largest(slope) > 1e-4
  for group, way in (('head', 1), ('extractor', -1)):
    moved = jax.tree.map(lambda w, g: w - 0.02 * g, params[group], slope[group])
    assert way * (discrepancy({**params, group: moved}) - before) > 0, group
