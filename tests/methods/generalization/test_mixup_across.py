"""Mixup between sources: what a mixture costs, and who is mixed with whom."""

from pathlib import Path

import jax
import numpy as np

from tests.methods.probe import probe, softmax
from tlda.methods.generalization import MixupAcross
from tlda.methods.generalization.mixup_across import circle


def test_halves_by_hand(tmp_path: Path) -> None:
  """A large alpha leaves no chance: each example is half its own and half of the other source."""
  here = probe(MixupAcross, tmp_path, sources=2, alpha=1e8)
  inputs, labels = (np.asarray(x) for x in (here.batch.source.inputs, here.batch.source.labels))
  mixed = (inputs[0] + inputs[1]) / 2
  outputs = here.forward(np.concatenate([mixed, mixed]), np.repeat([0, 1], len(mixed)))
  cost = -np.log(softmax(outputs.logits)).reshape(2, len(mixed), -1)
  rows = np.arange(len(mixed))
  expected = np.mean([cost[e, rows, labels[f]].mean() for e in range(2) for f in range(2)])
  np.testing.assert_allclose(here.terms()['task'], expected, rtol=1e-3)


def test_a_small_alpha_leaves_examples_as_they_are(tmp_path: Path) -> None:
  """Then shares are 0 or 1: the loss is that of whole examples, of either source."""
  here = probe(MixupAcross, tmp_path, sources=2, alpha=1e-4)
  source = here.batch.source
  possible = []
  for places in np.ndindex(2, 2):
    inputs, labels = (
      np.concatenate(np.asarray(x)[list(places)]) for x in (source.inputs, source.labels)
    )
    logits = here.forward(inputs, np.repeat([0, 1], len(inputs) // 2)).logits
    possible.append(-np.log(softmax(logits))[np.arange(len(labels)), labels].mean())
  found = [float(here.but(at=at).terms()['task']) for at in range(4)]
  assert all(min(abs(value - np.array(possible))) < 1e-4 for value in found)
  assert len({round(value, 4) for value in found}) > 1


def test_sources_stand_in_one_circle() -> None:
  seen = set()
  for seed in range(50):
    follows = np.asarray(circle(jax.random.key(seed), 4))
    place, round_ = 0, []
    for _ in range(4):
      place = int(follows[place])
      round_.append(place)
    assert sorted(round_) == [0, 1, 2, 3]
    assert place == 0
    seen.add(tuple(follows))
  assert len(seen) == 6  # All circles of four.
