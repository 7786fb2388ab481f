"""The centroids, and what they add to DANN."""

from pathlib import Path

import jax
import numpy as np

from tests.methods.probe import probe
from tlda.methods import DANN, MSTN


def test_centroids_move_to_the_classes_of_the_batch_and_others_stay(tmp_path: Path) -> None:
  here = probe(MSTN, tmp_path, at=1)
  rng = np.random.default_rng(0)
  old = {name: rng.normal(size=(3, 12)).astype(np.float32) for name in ('source', 'target')}
  source = here.batch.source
  batch = here.batch.replace(source=source.replace(labels=np.asarray(source.labels) // 2))  # 0, 1
  inputs = np.concatenate([source.inputs, batch.target.inputs])
  seen = here.forward(inputs, 0)
  features = np.asarray(seen.features, np.float64)
  labels = np.concatenate([batch.source.labels, np.asarray(seen.logits)[16:].argmax(axis=1)])

  terms, states = here.but(batch=batch, centroids=old).run()
  expected = {}
  for name, rows in (('source', slice(0, 16)), ('target', slice(16, 32))):
    expected[name] = old[name].astype(np.float64)
    for k in set(labels[rows]):
      mean = features[rows][labels[rows] == k].mean(axis=0)
      expected[name][k] = 0.7 * expected[name][k] + 0.3 * mean
    np.testing.assert_allclose(states['centroids'][name], expected[name], rtol=1e-4, atol=1e-5)
  np.testing.assert_array_equal(states['centroids']['source'][2], old['source'][2])
  ramp = 2 / (1 + np.exp(-10 / 4)) - 1
  distance = ((expected['source'] - expected['target']) ** 2).sum()
  np.testing.assert_allclose(terms['centroids'], 0.1 * ramp * distance, rtol=1e-4)


def test_without_alignment_it_is_dann(tmp_path: Path) -> None:
  mstn = probe(MSTN, tmp_path / 'mstn', alignment=0.0).train(2)
  dann = probe(DANN, tmp_path / 'dann').train(2)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), mstn.params, dann.params
  )
