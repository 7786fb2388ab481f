"""M3SDA: the distance between moments by hand, and the phases of its pair of classifiers."""

from pathlib import Path

import numpy as np

from tests.methods.probe import probe
from tests.problem import BATCH
from tlda.methods.several_sources import M3SDA, M3SDABeta
from tlda.methods.several_sources.m3sda import moment_distance


def distance(one: np.ndarray, other: np.ndarray) -> float:
  """Between the means and the variances of two domains' features, in float64."""
  return float(
    np.linalg.norm(one.mean(0) - other.mean(0)) + np.linalg.norm(one.var(0) - other.var(0))
  )


def test_all_pairs_of_four_domains_by_hand() -> None:
  rng = np.random.default_rng(0)
  a, b, c, target = (rng.normal(i, 1 + i, (6, 4)) for i in range(4))
  expected = np.mean([distance(x, target) for x in (a, b, c)])
  expected += np.mean([distance(a, b), distance(a, c), distance(b, c)])
  sources = np.concatenate([a, b, c]).astype(np.float32)
  found = moment_distance(sources, target.astype(np.float32), 2)
  np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_single_source_has_its_distance_to_the_target_alone() -> None:
  one, target = np.random.default_rng(0).normal(size=(2, 6, 4)).astype(np.float32)
  np.testing.assert_allclose(moment_distance(one, target, 2), distance(one, target), rtol=1e-5)


def test_the_term_by_hand(tmp_path: Path) -> None:
  here = probe(M3SDA, tmp_path, sources=2, weight=3.0)
  source, target = (np.asarray(x.features, np.float64) for x in here.outputs())
  one, other = source.reshape(2, BATCH, -1)
  expected = (distance(one, target) + distance(other, target)) / 2 + distance(one, other)
  np.testing.assert_allclose(here.terms()['moments'], 3 * expected, rtol=1e-4)


def test_only_the_first_phase_draws_moments_together(tmp_path: Path) -> None:
  here = probe(M3SDABeta, tmp_path, sources=2, weight=3.0, repeats=1)
  assert [phase.name for phase in here.method.phases()] == ['task', 'disagree', 'agree']
  first, second = (here.terms(phase.objective) for phase in here.method.phases()[:2])
  assert set(first) == {'task', 'moments'}
  assert set(second) == {'task', 'discrepancy'}
  flat = here.batch.source.flat()
  source, target = (
    np.asarray(here.forward(x.inputs, x.domain).features, np.float64)
    for x in (flat, here.batch.target)
  )
  one, other = source.reshape(2, BATCH, -1)
  expected = (distance(one, target) + distance(other, target)) / 2 + distance(one, other)
  np.testing.assert_allclose(first['moments'], 3 * expected, rtol=1e-4)
