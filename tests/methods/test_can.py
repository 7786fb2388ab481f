"""The clusters of the target, and the classes that they are contrasted with."""

from pathlib import Path

import numpy as np

from tests.methods.probe import probe
from tests.problem import make_run
from tlda.methods import CAN, Outputs
from tlda.methods.can import spherical_k_means


def _turned(degrees: list[float]) -> np.ndarray:
  angles = np.deg2rad(degrees)
  return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_k_means_by_hand() -> None:
  # Long and short features count alike. The 40 is nearer to 90 than to -20 at first; then the
  # second centre moves up to (40 + 90 + 100) and stays.
  features = np.array([[9.0], [1], [2], [1], [5]]) * _turned([-20, 20, 40, 90, 100])
  labels, distances = spherical_k_means(features, 3 * _turned([-20, 90]))
  np.testing.assert_array_equal(labels, [0, 0, 1, 1, 1])
  first = (1 - np.cos(np.deg2rad(20))) / 2
  np.testing.assert_allclose(distances[:2], first, rtol=1e-6)


def test_a_cluster_without_examples_stays_and_one_without_a_centre_gets_none() -> None:
  begin = np.concatenate([_turned([0, 180]), np.zeros((1, 2))])
  labels, distances = spherical_k_means(_turned([10, 20]), begin)
  np.testing.assert_array_equal(labels, [0, 0])
  np.testing.assert_allclose(distances, (1 - np.cos(np.deg2rad(5))) / 2, rtol=1e-6)
  _, distances = spherical_k_means(_turned([10, 20]), np.zeros((2, 2)))
  assert np.isinf(distances).all()


def test_far_examples_and_small_classes_get_no_label(tmp_path: Path) -> None:
  method = make_run(CAN, tmp_path, radius=0.05, members=2).method
  centres = np.concatenate([_turned([0, 90]), np.zeros((1, 2))])
  features = _turned([-2, 2, 40, 90])  # 40 is at cosine .80 or so of its centre.
  variables = {'clusters': {'source_centres': centres}}
  found = method.cluster(variables, Outputs(features, np.zeros((4, 3))))['clusters']
  np.testing.assert_array_equal(found['labels'], [0, 0, -1, -1])
  np.testing.assert_array_equal(found['source_centres'], 0)


def test_source_centres_are_sums_of_directions(tmp_path: Path) -> None:
  here = probe(CAN, tmp_path)
  seen = here.forward(np.concatenate([part.inputs for part in here.batch.parts()]), 0)
  features = np.asarray(seen.features, np.float64)[:16]
  features /= np.linalg.norm(features, axis=1, keepdims=True)
  labels = np.asarray(here.batch.source.labels)
  _, states = here.run()
  for k in range(3):
    expected = features[labels == k].sum(axis=0)
    found = states['clusters']['source_centres'][k]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_without_labels_nothing_is_contrasted(tmp_path: Path) -> None:
  terms = probe(CAN, tmp_path).terms()
  assert (terms['features'], terms['classes'], terms['monitor/labelled']) == (0, 0, 0)


def test_labels_are_looked_up_by_index(tmp_path: Path) -> None:
  here = probe(CAN, tmp_path)
  clusters = dict(here.state.states['clusters'])
  index = np.asarray(here.batch.target.index)
  labels = np.full(44, -1, np.int32)
  labels[index[:4]] = [0, 0, 1, 1]
  terms = here.but(clusters={**clusters, 'labels': labels}).terms()
  np.testing.assert_allclose(terms['monitor/labelled'], 0.25)
  assert terms['features'] != 0
