"""Margin disparity discrepancy: the sign of each gradient, and its size."""

from pathlib import Path

import jax
import numpy as np
import pytest

from tests.methods.probe import probe, softmax
from tlda.methods import MDD


def test_the_extractor_climbs_what_the_adversary_descends(tmp_path: Path) -> None:
  late = 4  # where the ramp has nearly reached 1
  here = probe(MDD, tmp_path / '1', weight=0.5)
  plain = probe(MDD, tmp_path / '2', weight=-1.0)
  found, descent = (x.but(at=late).slope('disparity') for x in (here, plain))
  ramp = float(here.but(at=late).context.ramp())
  assert ramp == pytest.approx(0.9999, abs=1e-4)
  pairs = lambda group: zip(*map(jax.tree.leaves, (found[group], descent[group])), strict=True)
  for reversed_, straight in pairs('extractor'):
    np.testing.assert_allclose(reversed_, -0.5 * straight, rtol=1e-3, atol=1e-7)
  for own, straight in pairs('other_head'):
    np.testing.assert_allclose(own, straight, rtol=1e-5, atol=1e-8)
    assert np.abs(own).max() > 1e-3
  assert all((leaf == 0).all() for leaf in jax.tree.leaves(found['head']))


def test_the_disparity_is_that_of_the_two_heads(tmp_path: Path) -> None:
  here = probe(MDD, tmp_path, margin=3.0)
  joined = [np.concatenate(x) for x in zip(
    *((part.inputs, part.domain) for part in here.batch.parts()), strict=True
  )]  # fmt: skip
  outputs = here.forward(*joined)
  other = here.state.params['other_head']['logits']
  said = np.argmax(outputs.logits, axis=1)
  probability = softmax(outputs.features @ other['kernel'] + other['bias'])
  probability = probability[np.arange(len(said)), said]
  source, target = np.split(probability, 2)
  expected = 3 * -np.log(source).mean() - np.log(1 - target).mean()
  np.testing.assert_allclose(here.terms()['disparity'], expected, rtol=1e-5)
