"""Mixtures of examples and labels: their shares, their partners, and what they cost."""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.methods.probe import Probe, probe, softmax
from tests.problem import BATCH, CLASSES, domain, make_method
from tlda.errors import UserError
from tlda.methods import CutMix, Mixup
from tlda.methods.cutmix import cutmix
from tlda.methods.mixup import mixup
from tlda.tasks import Classification

ROWS = 6


def shares_of(alpha: float, keys: int) -> tuple[np.ndarray, np.ndarray]:
  """Returns the shares `[keys, rows, rows]` of which mixtures are made, in inputs and in targets.

  Row i of inputs is i-th unit vector, so that a mixture says whose it is.
  """
  every = jax.random.split(jax.random.key(1), keys)
  unit = jnp.eye(ROWS)
  mixed = jax.vmap(lambda key: mixup(key, unit, unit, alpha=alpha))(every)
  return tuple(np.asarray(each, np.float64) for each in mixed)


@pytest.mark.parametrize('alpha', [0.2, 1.0])
def test_mixup_takes_one_share_and_a_permutation(alpha: float) -> None:
  inputs, targets = shares_of(alpha, 1000)
  np.testing.assert_array_equal(inputs, targets)
  np.testing.assert_allclose(inputs.sum(axis=1), 1, rtol=1e-5)  # Each is a partner once.
  np.testing.assert_allclose(inputs.sum(axis=2), 1, rtol=1e-5)
  moved = [(own, np.unique(own.round(5))) for own in inputs if own.trace() < ROWS - 1e-3]
  assert len(moved) > 300
  for own, values in moved:
    # 0, and the share and what is left of it; 1 where one is its own partner.
    assert len(values) <= 4
    first = own.diagonal()[own.diagonal() < 1 - 1e-4]
    np.testing.assert_allclose(first, first[0], atol=1e-5)
  # Beta(alpha, alpha) has mean 1/2 and variance 1 / (4 (2 alpha + 1)).
  share = np.array([own.diagonal().min() for own in inputs])
  share = share[[own.diagonal().max() < 1 - 1e-4 for own in inputs]]
  variance = 1 / (4 * (2 * alpha + 1))
  if alpha == 1:  # Of 0.2, many are too near to 1 to be told from a row that is its own partner.
    assert abs(share.mean() - 0.5) < 5 * np.sqrt(variance / len(share))
    assert abs(share.var() - variance) < 0.02
  else:
    assert ((share < 0.1) | (share > 0.9)).mean() > 0.5


def test_cutmix_pastes_the_same_rectangle_into_all() -> None:
  height, width = 48, 32
  numbers = jnp.arange(ROWS, dtype=jnp.float32)
  images = jnp.broadcast_to(numbers[:, None, None, None], (ROWS, height, width, 1))
  keys = jax.random.split(jax.random.key(0), 400)
  make = jax.vmap(lambda key: cutmix(key, images, jnp.eye(ROWS)))
  mixed, targets = (np.asarray(each) for each in make(keys))
  pasted_shares = []
  for own, target in zip(mixed[..., 0], targets, strict=True):
    other = own != np.arange(ROWS)[:, None, None]
    moved = other.any(axis=(1, 2))
    if not moved.any():
      continue
    region = other[moved][0]
    assert (other[moved] == region).all(), 'one rectangle for the batch'
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    assert region.sum() == len(rows) * len(columns), 'a rectangle'
    assert [*rows, *columns] == [*range(rows[0], rows[-1] + 1), *range(columns[0], columns[-1] + 1)]
    share = 1 - region.mean()
    partners = own[moved][:, region][:, 0].astype(int)
    assert len(set(partners)) == len(partners)
    for row, partner in zip(np.flatnonzero(moved), partners, strict=True):
      expected = share * np.eye(ROWS)[row] + (1 - share) * np.eye(ROWS)[partner]
      np.testing.assert_allclose(target[row], expected, atol=1e-6)
    pasted_shares.append(region.mean())
    if rows[0] > 0 and rows[-1] < height - 1 and columns[0] > 0 and columns[-1] < width - 1:
      # Uncut, both sides are the same part of the image's, in whole pairs of pixels.
      assert abs(len(rows) / height - len(columns) / width) <= 2 / width
      assert len(rows) % 2 == len(columns) % 2 == 0
  # Of a side r, r - r^2 / 4 lies inside on average; r^2 is uniform: .5 - .2 + 1/48, and as whole
  # pixels a little less.
  assert 0.27 < np.mean(pasted_shares) < 0.35
  assert max(pasted_shares) > 0.6


def expected_loss(here: Probe, inputs: jax.Array, targets: jax.Array, smoothing: float) -> float:
  """Returns the cross-entropy of mixtures in float64, from the logits."""
  logits = here.forward(inputs, here.batch.target.domain).logits
  labels = (1 - smoothing) * np.asarray(targets, np.float64) + smoothing / CLASSES
  return -(labels * np.log(softmax(logits))).sum(axis=1).mean()


@pytest.mark.parametrize('smoothing', [0.0, 0.3])
@pytest.mark.parametrize(('cls', 'mix'), [(Mixup, mixup), (CutMix, cutmix)])
def test_the_loss_is_that_of_the_mixed_labels(
  cls: type, mix: object, smoothing: float, tmp_path: Path
) -> None:
  here = probe(cls, tmp_path, alpha=1.0)
  here = dataclasses.replace(here, method=here.method.clone(task=Classification(smoothing)))
  labels = np.eye(CLASSES, dtype=np.float32)[here.batch.target.labels]
  inputs, targets = mix(here.context.key('mixup'), here.batch.target.inputs, labels, alpha=1.0)
  assert np.abs(targets - labels).max() > 0.01
  expected = expected_loss(here, inputs, targets, smoothing)
  assert here.terms().keys() == {'task'}
  np.testing.assert_allclose(here.terms()['task'], expected, rtol=1e-4)


def test_what_cannot_be_mixed_is_refused() -> None:
  source, target = (domain(name, seed) for seed, name in enumerate(('left', 'right'), 1))
  for cls in (Mixup, CutMix):
    method = make_method(cls, source, target)
    text = method.clone(spec=dataclasses.replace(method.spec, input_dtype='int32'))
    with pytest.raises(UserError, match='mixes inputs: tokens of text cannot be'):
      text.check(BATCH)
  vectors = [domain(name, 1, images=False) for name in ('left', 'right')]
  with pytest.raises(UserError, match='CutMix needs images'):
    make_method(CutMix, *vectors).check(BATCH)
  make_method(Mixup, *vectors).check(BATCH)
