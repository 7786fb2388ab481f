"""WDGRL: a linear critic by hand, and which phase moves what."""

from pathlib import Path

import jax
import numpy as np
import pytest

from tests.methods.probe import assert_close, largest, probe, same
from tests.problem import BATCH
from tlda.methods import WDGRL, Phase
from tlda.models import DomainClassifier


def test_a_linear_critic_by_hand(tmp_path: Path) -> None:
  """Its slope is w everywhere, so P = (|w| - 1)^2; W is w times the gap of the mean features."""
  here = probe(
    WDGRL, tmp_path, at=2, domain_classifier=DomainClassifier(()), penalty=3.0, weight=0.5
  )
  w = np.asarray(here.state.params['domain_classifier']['mlp']['logits']['kernel'], np.float64)
  source, target = here.outputs()
  gap = np.asarray(source.features, np.float64).mean(0) - np.asarray(target.features).mean(0)
  critic = here.terms('critic_objective')
  np.testing.assert_allclose(critic['distance'], -(gap @ w)[0], rtol=1e-4)
  np.testing.assert_allclose(critic['penalty'], 3 * (np.linalg.norm(w) - 1) ** 2, rtol=1e-4)
  np.testing.assert_allclose(here.terms()['distance'], 0.5 * (gap @ w)[0], rtol=1e-4)
  # The critic climbs W: its gradient is that of the mean gap, and of nothing else.
  slope = here.slope('distance', 'critic_objective')['domain_classifier']['mlp']['logits']
  assert_close(slope['kernel'][:, 0], -gap, atol=1e-6)


def test_the_critic_moves_alone_and_the_network_leaves_it(tmp_path: Path) -> None:
  class Critic(WDGRL):
    """Its first phase only."""

    def phases(self) -> tuple[Phase, ...]:
      return super().phases()[:1]

  here = probe(Critic, tmp_path, at=2, critic_steps=2)
  after, _ = here.step()
  assert same(after.params['extractor'], here.state.params['extractor'])
  assert same(after.params['head'], here.state.params['head'])
  assert same(after.states, here.state.states)
  moved = jax.tree.map(
    np.subtract, after.params['domain_classifier'], here.state.params['domain_classifier']
  )
  assert largest(moved) > 1e-5
  (_, network) = WDGRL.phases(here.method)
  assert network.trains == ('extractor', 'head')


def test_equal_features_have_finite_slopes(tmp_path: Path) -> None:
  here = probe(WDGRL, tmp_path, at=2)
  flat = jax.tree.map(np.zeros_like, here.state.params)
  here = here.but(params=flat)
  slope = here.slope('penalty', 'critic_objective')
  assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slope))
  # A critic of slope 0 is 1 short, at each of the points.
  assert float(here.terms('critic_objective')['penalty']) == pytest.approx(10.0)
  assert len(here.batch.target.index) == BATCH
