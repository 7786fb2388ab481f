"""What draws sources together: the distances of all pairs, by hand."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.methods.probe import probe
from tests.problem import domain, make_method
from tlda.methods.batch import Batch, Examples
from tlda.methods.generalization import CORALAcross, MMDAcross
from tlda.methods.generalization.pairwise import Pairwise
from tlda.methods.method import Outputs


def features(here: Any) -> np.ndarray:
  """`[sources, batch, d]` float64."""
  (outputs,) = here.outputs()
  shape = *here.batch.source.labels.shape, -1
  return np.asarray(outputs.features, np.float64).reshape(shape)


def test_coral_by_hand(tmp_path: Path) -> None:
  here = probe(CORALAcross, tmp_path, sources=2, weight=3.0)
  one, other = features(here)
  means = ((one.mean(0) - other.mean(0)) ** 2).mean()
  covariances = ((np.cov(one.T) - np.cov(other.T)) ** 2).mean()
  assert min(means, covariances) > 1e-5
  np.testing.assert_allclose(here.terms()['distance'], 3 * (means + covariances), rtol=1e-4)


def test_mmd_by_hand(tmp_path: Path) -> None:
  here = probe(MMDAcross, tmp_path, sources=2, weight=3.0, kernels=1)
  one, other = features(here)
  rows = np.concatenate([one, other])
  squared = ((rows[:, None] - rows[None]) ** 2).sum(-1)
  kernel = np.exp(-squared / squared[~np.eye(len(rows), dtype=bool)].mean())
  signs = np.repeat([1, -1], len(one)) / len(one)
  np.testing.assert_allclose(here.terms()['distance'], 3 * signs @ kernel @ signs, rtol=1e-3)


class Gap(Pairwise):
  """The distance between the sums of features; of a network that returns what it is given."""

  def by_source(self, batch: Batch) -> Outputs:
    return Outputs(batch.source.inputs, jnp.zeros((*batch.source.labels.shape, 3)))

  def distance(self, one: jax.Array, other: jax.Array) -> jax.Array:
    return jnp.abs(one.sum() - other.sum())


@pytest.mark.parametrize(
  ('values', 'expected'),
  # |1-2|, |1-4|, |2-4|; and of four 1, 3, 7, 2, 6, 4.
  [((1, 2, 4), (1 + 3 + 2) / 3), ((1, 2, 4, 8), (1 + 3 + 7 + 2 + 6 + 4) / 6)],
)
def test_each_pair_counts_once(values: tuple[int, ...], expected: float) -> None:
  domains = [domain(str(seed), seed) for seed in range(len(values) + 1)]
  method = make_method(Gap, *domains, weight=2.0)
  zeros = jnp.zeros((len(values), 1), jnp.int32)
  inputs = jnp.array(values, jnp.float32)[:, None, None]
  source = Examples(inputs, zeros, zeros, zeros, labels=zeros)
  terms = method.apply({}, Batch(source=source), None, method='objective')
  np.testing.assert_allclose(terms['distance'], 2 * expected, rtol=1e-6)
