"""Sliced Wasserstein discrepancy: MCD in all but the distance."""

from pathlib import Path

import jax
import numpy as np

from tests.methods.probe import probe, softmax
from tlda.methods import MCD, SWD


def test_it_is_mcd_with_another_distance(tmp_path: Path) -> None:
  swd, mcd = (probe(cls, tmp_path / cls.__name__) for cls in (SWD, MCD))
  jax.tree.map(np.testing.assert_array_equal, swd.state.params, mcd.state.params)
  assert swd.terms('disagree')['task'] == mcd.terms('disagree')['task']
  target = swd.batch.target
  outputs = swd.apply('forward', target.inputs, target.domain, train=True)
  other = swd.state.params['other_head']['logits']
  one, two = softmax(outputs.logits), softmax(outputs.features @ other['kernel'] + other['bias'])
  found = swd.terms('agree')['discrepancy']
  u = np.asarray(jax.random.normal(swd.context.key('projections'), (3, 128)), np.float64)
  u /= np.linalg.norm(u, axis=0)
  expected = ((np.sort(one @ u, axis=0) - np.sort(two @ u, axis=0)) ** 2).mean()
  np.testing.assert_allclose(found, expected, rtol=1e-4)
  assert swd.terms('disagree')['discrepancy'] == -found


def test_each_pass_draws_its_own_directions(tmp_path: Path) -> None:
  here = probe(SWD, tmp_path)
  first, second = (
    here.apply('agree', here.batch, here.context.replace(turn=turn))['discrepancy']
    for turn in (2, 3)
  )
  assert first != second
