"""IRM: the penalty is the squared slope of the risk in the scale of the logits."""

from pathlib import Path

import numpy as np

from tests.methods.generalization.by_hand import cross_entropy, logits, risks
from tests.methods.probe import probe, softmax
from tlda.methods.generalization import IRM


def test_the_penalty_is_the_squared_slope_in_the_scale(tmp_path: Path) -> None:
  here = probe(IRM, tmp_path, at=2, sources=2, weight=3.0)
  labels, scores = np.asarray(here.batch.source.labels), logits(here)
  flat = softmax(scores.reshape(-1, 3)).reshape(scores.shape)
  slopes = (scores * (flat - np.eye(3)[labels])).sum(axis=2).mean(axis=1)
  step = 1e-5
  around = [cross_entropy(scale * scores, labels).mean(axis=1) for scale in (1 + step, 1 - step)]
  np.testing.assert_allclose(slopes, (around[0] - around[1]) / (2 * step), rtol=1e-6)
  terms = here.terms()
  np.testing.assert_allclose(terms['task'], risks(here).mean(), rtol=1e-5)
  np.testing.assert_allclose(terms['penalty'], 3 * (slopes**2).mean(), rtol=1e-4)
  early = here.but(at=0).terms()['penalty']
  np.testing.assert_allclose(3 * early, terms['penalty'], rtol=1e-5)
