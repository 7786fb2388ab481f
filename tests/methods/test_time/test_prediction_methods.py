"""LAME and T3A: predictions that are corrected, of a network that stays as it is."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests.methods.probe import Probe, probe, same, softmax
from tests.problem import BATCH
from tlda.errors import UserError
from tlda.methods.test_time import LAME, T3A
from tlda.models.domain_classifier import DomainClassifier


def seen(here: Probe) -> tuple[np.ndarray, np.ndarray]:
  """Features and logits of the target's batch, as the trained network sees it."""
  outputs = here.apply('__call__', here.batch.target.inputs, here.batch.target.domain)
  return np.asarray(outputs.features, np.float64), np.asarray(outputs.logits, np.float64)


def answer(here: Probe) -> np.ndarray:
  say = jax.jit(lambda: here.apply('answer', here.batch, here.context))
  return np.asarray(say(), np.float64)


def unit(vectors: np.ndarray) -> np.ndarray:
  return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_lame_lets_neighbours_agree_and_moves_nothing(tmp_path: Path) -> None:
  here = probe(LAME, tmp_path, neighbours=3, iterations=7)
  features, logits = seen(here)
  near = unit(features) @ unit(features).T - 9 * np.eye(BATCH)
  weights = np.zeros((BATCH, BATCH))
  for row, order in enumerate(np.argsort(-near, axis=1)):
    weights[row, order[:3]] = 1
  z = given = softmax(logits)
  for _ in range(7):
    z = given * np.exp(weights @ z)
    z /= z.sum(axis=1, keepdims=True)
  np.testing.assert_allclose(np.exp(answer(here)), z, rtol=1e-4, atol=1e-6)
  assert np.abs(z - given).max() > 0.05
  after = here.train(2)
  assert same((after.params, after.states), (here.state.params, here.state.states))


def test_t3a_keeps_the_surest_supports_and_moves_no_weight(tmp_path: Path) -> None:
  here = probe(T3A, tmp_path, supports=3)
  head = here.state.params['head']['logits']
  kernel, bias = (np.asarray(head[name], np.float64) for name in ('kernel', 'bias'))
  supports = [[(entropy(w @ kernel + bias), w)] for w in kernel.T]
  for step in range(2):
    here = here.but(batch=here.batch_of(step))
    features, logits = seen(here)
    for z, own in zip(features, logits, strict=True):
      supports[own.argmax()].append((entropy(own), z))
    supports = [sorted(own, key=lambda pair: pair[0])[:3] for own in supports]
    sums = np.array([sum(unit(z) for _, z in own) for own in supports])
    np.testing.assert_allclose(answer(here), features @ unit(sums).T, rtol=1e-3, atol=1e-5)
    after = here.step()[0]
    assert same(after.params, here.state.params)
    here = here.but(**after.states)
  held = np.sort(here.state.states['bank']['entropy'], axis=1)
  for own, found in zip(supports, held, strict=True):
    np.testing.assert_allclose(found[: len(own)], [h for h, _ in own], rtol=1e-4)


def entropy(logits: np.ndarray) -> float:
  shares = softmax(logits[None])[0]
  return float(-(shares * np.log(shares)).sum())


def test_t3a_needs_a_linear_last_layer(tmp_path: Path) -> None:
  class Odd(DomainClassifier):
    def __call__(self, features: Any, *, domain: Any = 0, train: bool = False) -> Any:
      del domain
      return super().__call__(features, train=train)

  with pytest.raises(UserError, match='last layer, which is not linear'):
    probe(T3A, tmp_path, head=Odd((3,)))
