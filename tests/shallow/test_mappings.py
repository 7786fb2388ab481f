"""Maps of both domains, against what is known by hand or by NumPy from the papers' formulas."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import linalg

from tlda.shallow import JDA, PCA, TCA, NearestNeighbour, SubspaceAlignment
from tlda.shallow.coral import recolored
from tlda.shallow.gfk import geodesic_flow
from tlda.shallow.optimal_transport import transported
from tlda.shallow.shallow import Problem


def draw(examples: int, features: int, seed: int) -> np.ndarray:
  rng = np.random.default_rng(seed)
  return rng.normal(size=(examples, features)) @ rng.normal(size=(features, features)) + 1


def problem(features: int, target: np.ndarray | None = None) -> Problem:
  source, target = draw(18, features, 0), draw(12, features, 1) if target is None else target
  labels = np.arange(18) % 3
  return Problem(*map(jnp.asarray, (source, labels, target, target)), classes=3)


def unit(x: np.ndarray) -> np.ndarray:
  return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_the_nearest_of_each_class_by_brute_force() -> None:
  source, test, labels = draw(12, 3, 0), draw(5, 3, 1), np.arange(12) % 4
  expected = [
    [-min(np.sum((x - y) ** 2) for y in source[labels == label]) for label in range(4)]
    for x in test
  ]
  scores = NearestNeighbour().predict(source, labels, test)
  np.testing.assert_allclose(scores, expected, rtol=1e-9)


@pytest.mark.parametrize('features', [5, 40])
def test_principal_components_keep_the_distances_of_the_best_plane(features: int) -> None:
  with jax.enable_x64(True):
    own = problem(features)
    rows = np.concatenate([own.source, own.target])
    _, _, axes = np.linalg.svd(rows - rows.mean(0))
    mapped = np.concatenate(PCA(dimension=2).maps(own))
  expected = rows @ axes[:2].T
  np.testing.assert_allclose(mapped @ mapped.T, expected @ expected.T, rtol=1e-8)


def test_subspaces_that_are_equal_are_aligned_already() -> None:
  with jax.enable_x64(True):
    own = problem(5, target=draw(18, 5, 0))
    source, target = SubspaceAlignment(dimension=2).maps(own)
  np.testing.assert_allclose(source, target, rtol=1e-9)


def test_recolored_examples_have_the_covariance_of_the_target() -> None:
  with jax.enable_x64(True):
    source, target = draw(18, 5, 0), draw(12, 5, 1)
    moved = recolored(jnp.asarray(source), jnp.asarray(target), 1e-12)
    np.testing.assert_allclose(np.cov(moved.T), np.cov(target.T), rtol=1e-6)


def test_the_flow_between_equal_subspaces_is_their_projection() -> None:
  with jax.enable_x64(True):
    axes, _ = np.linalg.qr(draw(5, 5, 0))
    rotation, _ = np.linalg.qr(draw(2, 2, 1))
    ends = jnp.asarray(axes[:, :2]), jnp.asarray(axes[:, :2] @ rotation)
    factor = np.asarray(geodesic_flow(*ends))
  np.testing.assert_allclose(factor @ factor.T, axes[:, :2] @ axes[:, :2].T, atol=1e-7)


def test_the_flow_between_two_lines_is_the_mean_of_the_lines_between() -> None:
  angle = 1.1
  lines = np.linspace(0, angle, 100_001)
  lines = np.stack([np.cos(lines), np.sin(lines), 0 * lines])
  with jax.enable_x64(True):
    ends = (jnp.asarray(lines[:, [place]]) for place in (0, -1))
    factor = np.asarray(geodesic_flow(*ends))
  expected = np.trapezoid(lines[:, None] * lines[None], dx=1 / 100_000, axis=2)
  np.testing.assert_allclose(factor @ factor.T, expected, atol=1e-9)


def eigenvectors(own: Problem, contrasts: np.ndarray, dimension: int) -> np.ndarray:
  """Maps both domains by the generalised eigenproblem of the paper, with the kernel as it is."""
  rows = unit(np.concatenate([own.source, own.target]))
  kernel = rows @ rows.T
  count = len(kernel)
  center = np.eye(count) - 1 / count
  matrix = contrasts @ contrasts.T
  penalty = kernel @ matrix @ kernel / np.linalg.norm(matrix) + np.eye(count)
  _, vectors = linalg.eigh(kernel @ center @ kernel, penalty)
  vectors = vectors[:, ::-1][:, :dimension]
  return unit(kernel @ (vectors / np.linalg.norm(vectors, axis=0)))


@pytest.mark.parametrize('features', [5, 40])
def test_transfer_components_are_generalised_eigenvectors(features: int) -> None:
  with jax.enable_x64(True):
    own = problem(features)
    mapped = np.concatenate(TCA(dimension=2).maps(own))
  contrast = np.r_[np.full(18, 1 / 18), np.full(12, -1 / 12)]
  expected = eigenvectors(own, contrast[:, None], 2)
  # Each vector has the sign that it likes.
  np.testing.assert_allclose(mapped @ mapped.T, expected @ expected.T, atol=1e-7)


def test_joint_adaptation_adds_the_means_of_predicted_classes() -> None:
  with jax.enable_x64(True):
    own = problem(5)
    mapped = np.concatenate(JDA(dimension=2, iterations=2).maps(own))
  labels = np.asarray(own.labels)
  domains = np.sqrt(3) * np.r_[np.full(18, 1 / 18), np.full(12, -1 / 12)][:, None]
  first = eigenvectors(own, domains, 2)
  distances = np.sum((first[18:, None] - first[None, :18]) ** 2, axis=2)
  predicted = labels[distances.argmin(1)]
  columns = [domains[:, 0]]
  for label in range(3):
    source, target = labels == label, predicted == label
    columns.append(np.r_[source / source.sum(), -1.0 * target / max(target.sum(), 1)])
  expected = eigenvectors(own, np.stack(columns, axis=1), 2)
  np.testing.assert_allclose(mapped @ mapped.T, expected @ expected.T, atol=1e-7)
  assert np.abs(first @ first.T - expected @ expected.T).max() > 1e-3


def test_points_that_were_shifted_are_transported_back() -> None:
  points = np.array([[0.0, 0], [4, 0], [0, 4], [4, 5], [9, 9]])
  shifted = points + np.array([0.5, -0.3])
  with jax.enable_x64(True):
    order = np.array([3, 1, 4, 0, 2])
    moved = transported(jnp.asarray(points), jnp.asarray(shifted[order]), 0.002, 500)
    np.testing.assert_allclose(moved, shifted, atol=1e-6)
    blurred = transported(jnp.asarray(points), jnp.asarray(shifted), 1e6, 500)
  np.testing.assert_allclose(blurred, np.tile(shifted.mean(0), (5, 1)), atol=1e-4)
