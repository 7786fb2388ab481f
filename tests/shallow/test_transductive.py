"""Baselines that answer target examples together."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np

from tlda.shallow import LabelPropagation
from tlda.shallow.easy_tl import assigned
from tlda.shallow.label_propagation import graph, harmonic


def test_labels_fall_linearly_along_a_chain() -> None:
  edges = np.zeros((5, 5))
  for one, other in ((0, 2), (2, 3), (3, 4), (4, 1)):
    edges[one, other] = edges[other, one] = 0.3
  with jax.enable_x64(True):
    found = harmonic(jnp.asarray(edges), jnp.eye(2))
  np.testing.assert_allclose(found, [[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]], rtol=1e-6)


def test_a_graph_joins_neighbours_of_either() -> None:
  rows = jnp.array([[0.0], [1.0], [3.0]])
  found = graph(rows, 1)
  # Neighbours are at 1, 1 and 2: their mean squared distance is 2.
  near, far = np.exp(-1 / 4), np.exp(-4 / 4)
  np.testing.assert_allclose(found, [[0, near, 0], [near, 0, far], [0, far, 0]], rtol=1e-6)


def test_two_chains_keep_their_labels() -> None:
  """Beginning side by side they part; their ends are nearer to the other's beginning."""
  steps = np.arange(1, 12)
  first = np.stack([steps, 0.0 * steps], axis=1)
  second = np.stack([0.2 * steps, 1.0 + steps], axis=1)
  target = np.concatenate([first, second])
  scores = LabelPropagation(neighbours=2).predict([[0.0, 0.0], [0.0, 1.0]], [0, 1], target)
  np.testing.assert_array_equal(scores.argmax(1), [0] * 11 + [1] * 11)
  np.testing.assert_allclose(scores.sum(1), 1)


def test_every_class_gets_an_example_at_the_least_cost() -> None:
  distances = np.random.default_rng(0).random((5, 3)) + np.array([0.0, 0.3, 2.0])
  best = min(
    (choice for choice in itertools.product(range(3), repeat=5) if len(set(choice)) == 3),
    key=lambda choice: distances[np.arange(5), choice].sum(),
  )
  found = assigned(distances)
  np.testing.assert_allclose(found, np.eye(3)[list(best)], atol=1e-9)
  assert 2 not in distances.argmin(1)
