"""Adaptive feature norm: which way features are pushed, and how far."""

from pathlib import Path

import jax
import numpy as np

from tests.methods.probe import Probe, probe
from tlda.methods import AFN


def norms(here: Probe) -> list[np.ndarray]:
  """Returns the norms of features of each domain."""
  outputs = here.outputs()
  return [np.linalg.norm(np.asarray(o.features, np.float64), axis=1) for o in outputs]


def test_hard_draws_each_domain_to_the_radius(tmp_path: Path) -> None:
  here = probe(AFN, tmp_path, radius=5.0, weight=0.1)
  expected = 0.1 * sum((norm.mean() - 5) ** 2 for norm in norms(here))
  np.testing.assert_allclose(here.terms()['norm'], expected, rtol=1e-5)


def test_stepwise_is_constant_and_its_gradient_is_that_of_the_mean_norm(tmp_path: Path) -> None:
  here = probe(AFN, tmp_path, stepwise=True, step=0.5, weight=0.2)
  terms, source = here.terms(), norms(here)[0]
  np.testing.assert_allclose(terms['norm'], 0.2 * 0.5**2, rtol=1e-6)
  np.testing.assert_allclose(terms['monitor/source_norm'], source.mean(), rtol=1e-5)
  # -2 step d|f|/df over both domains: a small step along it makes each norm larger, to first order
  # by `-weight 2 step` times the squared gradient of the mean norm.
  gradient = here.slope('norm')
  flat = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(gradient)])
  rate = 1e-2
  moved = jax.tree.map(lambda w, g: w - rate * g, here.state.params, gradient)
  after = here.but(params=moved).terms()
  mean = lambda terms: (terms['monitor/source_norm'] + terms['monitor/target_norm']) / 2
  growth = rate * (flat**2).sum() / (0.2 * 2 * 0.5)
  np.testing.assert_allclose(mean(after) - mean(terms), growth, rtol=0.05)
  assert all((leaf == 0).all() for leaf in jax.tree.leaves(gradient['head']))
