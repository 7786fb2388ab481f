"""Self-Tuning: the contrast of labels and of guesses, in float64 NumPy over the queue's keys."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from tests.methods.probe import assert_close, probe, same, softmax
from tests.methods.test_bi_tuning import embed
from tests.problem import BATCH, CLASSES
from tlda.methods.few_labels import SelfTuning

KEYS = 4


def contrast(query: Any, own: Any, queue: list[list[Any]], label: int) -> float:
  """Returns the mean of -log p over the key of its own and those of its class."""
  scores = np.exp(np.array([own, *(key for ring in queue for key in ring)]) @ query / 0.07)
  classes = [label, *(c for c, ring in enumerate(queue) for _ in ring)]
  return -np.log(scores / scores.sum())[np.array(classes) == label].mean()


def remembered(queue: list[list[Any]], keys: Any, labels: Any) -> list[list[Any]]:
  """Returns the last `KEYS` of each class, whatever their order."""
  added = lambda c: [key for key, label in zip(keys, labels, strict=True) if label == c]
  return [[*ring, *added(c)][-KEYS:] for c, ring in enumerate(queue)]


def test_terms_by_hand(tmp_path: Path) -> None:
  here = probe(SelfTuning, tmp_path, keys_per_class=KEYS, projection=8, momentum=0.5, weight=0.3)
  here = dataclasses.replace(here, state=here.train(1), batch=here.batch_of(1))
  params, states = here.state.params, here.state.states
  copy = states['key_network']['params']
  assert not same(copy['extractor'], params['extractor'])
  both = here.batch.target, here.batch.labelled_target
  joined = lambda pick: np.concatenate([np.asarray(pick(part)) for part in both])
  _, z = embed(params, joined(lambda part: part.inputs))
  _, keys = embed(copy, joined(lambda part: part.views['weak']))
  target, labelled = here.outputs()
  guesses, labels = np.argmax(target.logits, axis=1), np.asarray(both[1].labels)
  # Rings from the oldest key on, of those that are filled.
  seen = np.asarray(states['queue']['seen'])
  queue = [
    [states['queue']['projections'][c, place % KEYS] for place in range(max(n - KEYS, 0), n)]
    for c, n in enumerate(seen)
  ]
  expected = {'task': -np.log(softmax(labelled.logits))[np.arange(BATCH), labels].mean()}
  for name, rows, classes in (
    ('labelled', slice(BATCH, None), labels),
    ('unlabelled', slice(BATCH), guesses),
  ):
    each = [contrast(*own, queue, y) for *own, y in zip(z[rows], keys[rows], classes, strict=True)]
    expected[name] = 0.3 * np.mean(each)
    queue = remembered(queue, keys[rows], classes)
  terms, written = here.run()
  assert_close(terms, expected, rtol=1e-3)
  counts = [(guesses == c).sum() + (labels == c).sum() for c in range(CLASSES)]
  np.testing.assert_array_equal(written['queue']['seen'], seen + counts)
