"""Stochastic classifiers: what is drawn, who moves it, and what predicts."""

from pathlib import Path

import numpy as np
import pytest

from tests.methods.probe import moved, probe
from tests.methods.test_mcd import OnePhase
from tests.problem import CLASSES
from tlda.methods import STAR
from tlda.models import MLPHead


class OnePhaseOfStar(OnePhase, STAR):
  """Runs one of the three phases alone."""


@pytest.mark.parametrize(
  ('phase', 'groups'),
  [(0, {'extractor', 'head', 'deviation'}), (1, {'head', 'deviation'}), (2, {'extractor'})],
)
def test_each_phase_moves_its_groups(phase: int, groups: set[str], tmp_path: Path) -> None:
  here = probe(OnePhaseOfStar, tmp_path, only=phase, repeats=1)
  assert moved(here.state.params, here.train().params) == groups


def test_the_two_differ_by_the_deviation_and_the_mean_predicts(tmp_path: Path) -> None:
  here = probe(STAR, tmp_path)
  target, context = here.batch.target, here.context
  outputs = here.forward(target.inputs, target.domain)
  none = {**here.state.params, 'deviation': {'kernel': np.full((12, CLASSES), -100.0, np.float32)}}
  for logits in here.but(params=none).apply('both', target, context):
    np.testing.assert_allclose(logits, outputs.logits, rtol=1e-5, atol=1e-6)
  gaps = []
  for turn in range(40):
    drawn = here.apply('both', target, context.replace(turn=turn))
    gaps += [np.asarray(logits) - outputs.logits for logits in drawn]
  # features @ noise has the deviation 0.127 |features| / sqrt(12), another for each example.
  lengths = np.linalg.norm(outputs.features, axis=1) / np.sqrt(12)
  found = np.sqrt(np.mean(np.square(gaps), axis=(0, 2)))
  np.testing.assert_allclose(found / lengths, 0.127, rtol=0.25)
  np.testing.assert_allclose(np.mean(np.square(gaps)) / np.mean(lengths**2), 0.127**2, rtol=0.25)


def test_of_a_deeper_head_only_the_last_layer_is_drawn(tmp_path: Path) -> None:
  here = probe(STAR, tmp_path, head=MLPHead((8,), CLASSES))
  target = here.batch.target
  features = here.forward(target.inputs, target.domain).features
  layer = here.state.params['head']['hidden1']
  hidden = np.maximum(np.asarray(features) @ layer['kernel'] + layer['bias'], 0)
  one, other = here.apply('both', target, here.context)
  # The two share the bias too, so their gap is linear in the 8 hidden units of the 16 examples.
  gap = np.asarray(one - other)
  solved = np.linalg.lstsq(hidden, gap, rcond=1e-6)[0]
  np.testing.assert_allclose(hidden @ solved, gap, atol=1e-5)
  assert np.abs(gap).max() > 1e-2


def test_dropout_in_the_head_is_drawn_too(tmp_path: Path) -> None:
  here = probe(STAR, tmp_path, head=MLPHead((8,), CLASSES, dropout=0.5))
  here.state.params['deviation']['kernel'] = np.full((8, CLASSES), -100.0, np.float32)
  keys = {'dropout': here.context.key('dropout')}
  one, other = here.apply('both', here.batch.target, here.context, rngs=keys)
  assert np.abs(one - other).max() > 1e-3
