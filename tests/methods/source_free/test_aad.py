"""AaD: which examples attract, what disperses, and a bank of the whole target."""

from pathlib import Path

import numpy as np
import pytest

from tests.methods.probe import assert_close, probe, softmax
from tests.problem import make_run
from tlda.errors import UserError
from tlda.methods import Outputs
from tlda.methods.source_free import AaD
from tlda.training.run import refuse


def test_terms_by_hand(tmp_path: Path) -> None:
  here = probe(AaD, tmp_path, at=2, neighbours=3, weight=0.7, decay=2.0)
  random = np.random.default_rng(0)
  features = random.normal(size=(44, 12))
  features /= np.linalg.norm(features, axis=1, keepdims=True)
  votes = softmax(random.normal(size=(44, 3)))
  bank = {'features': features.astype(np.float32), 'votes': votes.astype(np.float32)}
  here = here.but(bank=bank)
  (target,), index = here.outputs(), np.asarray(here.batch.target.index)
  assert len(set(index)) == len(index) == 16
  p = softmax(target.logits)
  unit = np.asarray(target.features, np.float64)
  unit /= np.linalg.norm(unit, axis=1, keepdims=True)
  # The batch is written first, so that it is seen as it is now.
  features[index], votes[index] = unit, p
  attraction = 0.0
  for row, own in enumerate(index):
    others = [other for other in range(44) if other != own]
    nearest = sorted(others, key=lambda other, row=row: -unit[row] @ features[other])[:3]
    attraction += sum(p[row] @ votes[other] for other in nearest) / 16
  pairs = sum(p[i] @ p[m] for i in range(16) for m in range(16) if i != m) / 16
  # Half of training is over: (1 + 10 / 2)^-2 is 1 / 36.
  expected = {'attraction': -attraction, 'dispersion': 0.7 / 36 * pairs}
  terms, written = here.run()
  assert_close(terms, expected, rtol=1e-4)
  assert_close(written['bank'], {'features': features, 'votes': votes}, rtol=1e-4, atol=1e-6)


def test_a_pass_fills_the_bank(tmp_path: Path) -> None:
  method = make_run(AaD, tmp_path).method
  features, logits = np.array([[3.0, 4.0], [0.0, 0.0]]), np.log([[0.2, 0.8], [0.5, 0.5]])
  bank = method.fill({}, Outputs(features, logits))['bank']
  expected = {'features': [[0.6, 0.8], [0, 0]], 'votes': [[0.2, 0.8], [0.5, 0.5]]}
  np.testing.assert_allclose(bank['features'], expected['features'], rtol=1e-6)
  np.testing.assert_allclose(bank['votes'], expected['votes'], rtol=1e-6)


def test_more_neighbours_than_examples_are_refused(tmp_path: Path) -> None:
  with pytest.raises(UserError, match='44 neighbours cannot attract: the target has 44 examples'):
    refuse(make_run(AaD, tmp_path, neighbours=44))
