"""The bank, and the votes that are taken from it."""

from pathlib import Path

import numpy as np
import pytest

from tests.methods.probe import probe
from tests.problem import make_run
from tlda.errors import UserError
from tlda.methods import ATDOC
from tlda.training.fit import Trainer


def _bank() -> dict[str, np.ndarray]:
  rng = np.random.default_rng(0)
  features = rng.normal(size=(44, 12)).astype(np.float32)
  features /= np.linalg.norm(features, axis=1, keepdims=True)
  return {'features': features, 'votes': rng.dirichlet(np.ones(3), 44).astype(np.float32)}


def test_terms_by_hand(tmp_path: Path) -> None:
  here, bank = probe(ATDOC, tmp_path, at=2), _bank()
  target = here.batch.target
  seen = here.forward(np.concatenate([here.batch.source.inputs, target.inputs]), 0)
  features, logits = (np.asarray(x, np.float64)[16:] for x in (seen.features, seen.logits))
  odds = np.exp(logits)
  probabilities = odds / odds.sum(axis=1, keepdims=True)
  loss, total = 0.0, 0.0
  for row, own in enumerate(np.asarray(target.index)):
    others = [i for i in range(44) if i != own]
    nearest = sorted(others, key=lambda i: -bank['features'][i] @ features[row])[:5]
    vote = bank['votes'][nearest].mean(axis=0)
    loss -= vote.max() * np.log(probabilities[row, vote.argmax()])
    total += vote.max()
  terms, states = here.but(bank=bank).run()
  np.testing.assert_allclose(terms['neighbours'], 0.2 * 0.5 * loss / total, rtol=1e-5)

  index = np.asarray(target.index)
  squares = probabilities**2
  np.testing.assert_allclose(
    states['bank']['votes'][index], squares / squares.sum(axis=0), rtol=1e-4
  )
  normalised = features / np.linalg.norm(features, axis=1, keepdims=True)
  np.testing.assert_allclose(states['bank']['features'][index], normalised, rtol=1e-3, atol=1e-4)
  untouched = np.setdiff1d(np.arange(44), index)
  for name, rows in bank.items():
    np.testing.assert_array_equal(states['bank'][name][untouched], rows[untouched])


def test_nobody_votes_at_first(tmp_path: Path) -> None:
  terms = probe(ATDOC, tmp_path, at=2).terms()
  np.testing.assert_array_equal(terms['neighbours'], 0)


@pytest.mark.parametrize('neighbours', [0, 44])
def test_a_target_must_have_more_examples_than_voters(neighbours: int, tmp_path: Path) -> None:
  with pytest.raises(UserError, match='has 44 examples'):
    Trainer(make_run(ATDOC, tmp_path, neighbours=neighbours))
