"""Maximum classifier discrepancy: who moves in which phase, and which way."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests.methods.probe import moved, probe, softmax
from tests.problem import BATCH
from tlda.methods import MCD


class OnePhase(MCD):
  """Runs one of the three phases alone."""

  only: int = 0

  def phases(self) -> Any:
    return super().phases()[self.only : self.only + 1]


@pytest.mark.parametrize(
  ('phase', 'groups', 'statistics'),
  [
    (0, {'extractor', 'head', 'other_head'}, set()),
    (1, {'head', 'other_head'}, {'batch_stats'}),
    (2, {'extractor'}, set()),
  ],
)
def test_each_phase_moves_its_groups(
  phase: int, groups: set[str], statistics: set[str], tmp_path: Path
) -> None:
  here = probe(OnePhase, tmp_path, only=phase, repeats=2)
  after = here.train()
  assert moved(here.state.params, after.params) == groups
  assert moved(here.state.states, after.states) == statistics


def test_classifiers_part_and_the_extractor_brings_them_together(tmp_path: Path) -> None:
  here = probe(MCD, tmp_path)
  apart, together = (here.slope('discrepancy', phase) for phase in ('disagree', 'agree'))
  for left, right in zip(jax.tree.leaves(apart), jax.tree.leaves(together), strict=True):
    np.testing.assert_allclose(left, -np.asarray(right), rtol=1e-4, atol=1e-7)
  assert here.terms('disagree')['discrepancy'] == -here.terms('agree')['discrepancy']
  assert here.terms('agree')['discrepancy'] > 1e-3, 'equal classifiers would never part'


def test_equal_classifiers_cost_twice_the_task_and_do_not_disagree(tmp_path: Path) -> None:
  here = probe(MCD, tmp_path)
  equal = {**here.state.params, 'other_head': here.state.params['head']}
  terms, source = here.but(params=equal).terms('disagree'), here.batch.source
  assert terms['discrepancy'] == 0
  outputs = here.forward(source.inputs, source.domain)
  loss = -np.log(softmax(outputs.logits)[np.arange(BATCH), source.labels]).mean()
  np.testing.assert_allclose(terms['task'], 2 * loss, rtol=1e-5)
