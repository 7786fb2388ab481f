"""Fish: the way from source to source on a linear model; with no inner step, the plain gradient."""

from pathlib import Path

import jax
import numpy as np

from tests.methods.generalization.by_hand import Flat, LinearModel, joined, phase_gradients
from tests.methods.probe import probe
from tlda.methods.generalization import Fish


def test_the_way_from_source_to_source_on_a_linear_model(tmp_path: Path) -> None:
  here = probe(Fish, tmp_path, sources=2, images=False, extractor=Flat(), inner_rate=0.5)
  weights = start = joined(here.state.params)
  for each in jax.random.permutation(here.context.key('order'), 2):
    weights = weights - 0.5 * LinearModel(here, [int(each)]).gradient(weights)
  grads, (terms, _) = phase_gradients(here)
  np.testing.assert_allclose(joined(grads), (start - weights) / (0.5 * 2), rtol=1e-4, atol=1e-6)
  both = LinearModel(here, [0, 1])
  np.testing.assert_allclose(terms['task'], both.risk(start), rtol=1e-5)
  plain = both.gradient(start)
  assert np.abs(joined(grads) - plain).max() > 1e-3
  still, _ = phase_gradients(here.but(inner_rate=0.0))
  np.testing.assert_allclose(joined(still), plain, rtol=1e-4, atol=1e-6)
