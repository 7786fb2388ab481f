"""Domain confusion: the uniform distribution as the goal, and who moves by what."""

from pathlib import Path

import jax
import numpy as np
import pytest

from tests.methods.probe import Probe, largest, moved, probe
from tlda.methods import DomainConfusion, Phase
from tlda.models import DomainClassifier


def domain_probabilities(here: Probe) -> list[np.ndarray]:
  """Returns what a linear domain classifier says of each domain: the probability of the source."""
  layer = here.state.params['domain_classifier']['mlp']['logits']
  logits = [
    np.asarray(o.features, np.float64) @ layer['kernel'] + layer['bias'] for o in here.outputs()
  ]
  return [1 / (1 + np.exp(-x[:, 0])) for x in logits]


def test_terms_by_hand(tmp_path: Path) -> None:
  here = probe(DomainConfusion, tmp_path, weight=0.3, domain_classifier=DomainClassifier(()))
  source, target = domain_probabilities(here)
  told = -(np.log(source).mean() + np.log(1 - target).mean()) / 2
  np.testing.assert_allclose(here.terms('domain_objective')['domain'], told, rtol=1e-5)
  both = np.concatenate([source, target])
  confused = -(np.log(both) / 2 + np.log(1 - both) / 2).mean()
  np.testing.assert_allclose(here.terms()['confusion'], 0.3 * confused, rtol=1e-5)
  # d/dz of the cross-entropy between one half and q = sigmoid(z) is q - 1/2, of either domain.
  slope = here.slope('confusion')['domain_classifier']['mlp']['logits']['bias']
  np.testing.assert_allclose(slope, [0.3 * (both - 0.5).mean()], rtol=1e-3, atol=1e-7)


def test_a_classifier_that_cannot_tell_confuses_best(tmp_path: Path) -> None:
  here = probe(DomainConfusion, tmp_path, weight=1.0)
  blind = jax.tree.map(np.zeros_like, here.state.params['domain_classifier'])
  blind = here.but(params={**here.state.params, 'domain_classifier': blind})
  assert float(blind.terms()['confusion']) == pytest.approx(np.log(2), rel=1e-6)
  assert here.terms()['confusion'] > np.log(2)
  slope = here.slope('confusion')
  assert largest(slope['extractor']) > 1e-4
  assert largest(slope['head']) == 0


class OneMove(DomainConfusion):
  """Makes one of the two moves alone."""

  only: int = 0

  def phases(self) -> tuple[Phase, ...]:
    return super().phases()[self.only : self.only + 1]


@pytest.mark.parametrize(
  ('only', 'groups', 'states'),
  [(0, {'domain_classifier'}, set()), (1, {'extractor', 'head'}, {'batch_stats'})],
)
def test_the_classifier_and_the_network_move_in_turn(
  only: int, groups: set[str], states: set[str], tmp_path: Path
) -> None:
  here = probe(OneMove, tmp_path, only=only, weight=1.0)
  after, _ = here.step()
  assert moved(here.state.params, after.params) == groups
  assert moved(here.state.states, after.states) == states
