"""SHOT: the head stands still, the information counts, and centroids give the labels."""

from pathlib import Path

import numpy as np

from tests.methods.probe import assert_close, moved, probe, same, softmax
from tests.problem import make_run
from tlda.methods import Outputs, source_free
from tlda.methods.source_free.shot import nearest_centroids


def information(logits: np.ndarray) -> float:
  """Mean entropy less the entropy of the mean, in float64."""
  p = softmax(logits)
  mean = p.mean(axis=0)
  return -(p * np.log(p)).sum(axis=1).mean() + (mean * np.log(mean)).sum()


def test_the_head_is_frozen_bitwise(tmp_path: Path) -> None:
  here = probe(source_free.SHOT, tmp_path)
  after = here.train(2)
  assert same(after.params['head'], here.state.params['head'])
  assert moved(here.state.params, after.params) == {'extractor'}


def test_terms_by_hand(tmp_path: Path) -> None:
  here = probe(source_free.SHOT, tmp_path, weight=0.4)
  labels = np.arange(44, dtype=np.int32) % 3
  here = here.but(pseudo={'labels': labels})
  (target,) = here.outputs()
  own = labels[np.asarray(here.batch.target.index)]
  scores = -np.log(softmax(target.logits))[np.arange(len(own)), own]
  expected = {'information': information(target.logits), 'pseudo_labels': 0.4 * scores.mean()}
  assert_close(here.terms(), expected, rtol=1e-4, atol=1e-6)


def test_centroids_by_hand() -> None:
  # Weighted by probabilities the centroids are at 28 and 44 degrees, so that 40 is the second's;
  # of the labels that this gives (10, 20, 30 against 40, 90) they are at 20 and 65: now it is not.
  angles = np.deg2rad([10.0, 20, 30, 40, 90])
  features = np.array([[1.0], [9], [2], [1], [3]]) * np.stack([np.cos(angles), np.sin(angles)], 1)
  first = np.array([0.7, 0.3, 0.8, 0.2, 0.2])
  logits = np.log(np.stack([first, 1 - first], axis=1))
  np.testing.assert_array_equal(nearest_centroids(features, logits), [0, 0, 0, 0, 1])


def test_a_class_that_is_nobodys_gets_no_example() -> None:
  features = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
  logits = np.array([[9.0, 0, -9], [9.0, 0, -9], [0.0, 9, -9]])
  np.testing.assert_array_equal(nearest_centroids(features, logits), [0, 0, 1])


def test_a_pass_labels_the_whole_target(tmp_path: Path) -> None:
  method = make_run(source_free.SHOT, tmp_path).method
  outputs = Outputs(np.eye(3)[[2, 0, 1, 1]], 9 * np.eye(3)[[1, 2, 0, 0]])
  labels = method.label({}, outputs)['pseudo']['labels']
  np.testing.assert_array_equal(labels, [1, 2, 0, 0])
  assert labels.dtype == np.int32
  assert [p.times for p in method.clone(labellings=7).domain_passes()] == [7]
