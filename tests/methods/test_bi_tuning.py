"""Bi-tuning: its two contrasts, in float64 NumPy over the queue's keys, and what becomes a key."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.methods.probe import Probe, largest, probe, same
from tests.problem import BATCH, CLASSES, domain, make_method
from tlda.errors import UserError
from tlda.methods import BiTuning
from tlda.methods.bi_tuning import places_of, several_positives
from tlda.models import MLPHead

KEYS = 3


def unit(rows: np.ndarray) -> np.ndarray:
  return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def dense(params: Any, x: np.ndarray) -> np.ndarray:
  return x @ np.asarray(params['kernel'], np.float64) + np.asarray(params['bias'], np.float64)


def embed(params: Any, inputs: Any) -> tuple[np.ndarray, np.ndarray]:
  """Returns h, with a 1 beside the features, and z of a batch, both of norm 1."""
  own, rows = params['extractor'], np.asarray(inputs, np.float64).reshape(len(inputs), -1)
  x = dense(own['Dense_0'], rows)
  x = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)
  x = x * own['Normalization_0']['scale'] + own['Normalization_0']['bias']
  features = np.tanh(dense(own['Dense_1'], np.maximum(x, 0)))
  beside = np.concatenate([features, np.ones((len(features), 1))], axis=1)
  return unit(beside), unit(dense(params['projector'], features))


def moved(folder: Path) -> Probe:
  """Returns the method after two steps: the queue is filled, and keys are of another network."""
  here = probe(BiTuning, folder, keys_per_class=KEYS, momentum=0.5, weight=0.3)
  return dataclasses.replace(here, state=here.train(2), batch=here.batch_of(2))


def contrast(query: np.ndarray, own: np.ndarray, queue: np.ndarray, label: int) -> float:
  """Returns the mean of -log p over the positives: the key of its own, and those of its class."""
  keys = np.concatenate([own[None], queue.reshape(-1, queue.shape[-1])])
  scores = np.exp(keys @ query / 0.07)
  positive = np.concatenate([[True], np.repeat(np.arange(CLASSES), KEYS) == label])
  return -np.log(scores / scores.sum())[positive].mean()


def test_terms_are_the_papers(tmp_path: Path) -> None:
  here = moved(tmp_path)
  params, queue = here.state.params, here.state.states['queue']
  copy = here.state.states['key_network']['params']
  assert not same(copy['extractor'], params['extractor'])
  assert (np.asarray(queue['seen']) >= KEYS).all()
  target = here.batch.target
  (h, z), (_, key) = embed(params, target.inputs), embed(copy, target.views['weak'])
  head = params['head']['logits']
  weights = unit(np.concatenate([np.asarray(head['kernel'].T), head['bias'][:, None]], axis=1))
  features, projections = (np.asarray(queue[x], np.float64) for x in ('features', 'projections'))
  labels = np.asarray(target.labels)
  by_class = [contrast(weights[y], h[i], features, y) for i, y in enumerate(labels)]
  by_example = [contrast(z[i], key[i], projections, y) for i, y in enumerate(labels)]
  terms = here.terms()
  assert terms.keys() == {'task', 'class_contrast', 'example_contrast'}
  np.testing.assert_allclose(terms['class_contrast'], 0.3 * np.mean(by_class), rtol=1e-4)
  np.testing.assert_allclose(terms['example_contrast'], 0.3 * np.mean(by_example), rtol=1e-4)


def test_the_last_keys_of_each_class_are_kept(tmp_path: Path) -> None:
  here = moved(tmp_path)
  before, after = here.state.states['queue'], here.run()[1]['queue']
  h, z = embed(here.state.states['key_network']['params'], here.batch.target.views['weak'])
  labels = np.asarray(here.batch.target.labels)
  for label in range(CLASSES):
    seen, rows = int(before['seen'][label]), np.flatnonzero(labels == label)
    assert int(after['seen'][label]) == seen + len(rows)
    for name, keys in (('features', h), ('projections', z)):
      ring = np.array(before[name][label])
      for place, row in enumerate(rows, seen):
        ring[place % KEYS] = keys[row]
      np.testing.assert_allclose(after[name][label], ring, rtol=1e-4, atol=1e-6)


def test_places_go_round_and_of_too_many_the_last_remain() -> None:
  labels, seen = jnp.array([0, 1, 0, 0, 0, 1]), jnp.array([1, 4], jnp.int32)
  # Of four of class 0 the first has no place among 3; the others are the 2nd to 4th after one.
  np.testing.assert_array_equal(places_of(labels, seen, 3), [3, 1, 2, 0, 1, 2])


def test_what_is_not_there_is_no_key() -> None:
  logits = jnp.log(jnp.array([[2.0, 1.0, 5.0, 5.0]]))
  keys = jnp.array([[True, True, True, False]])
  positives = jnp.array([[True, True, False, False]])
  # Of 2 + 1 + 5: the mean of -log(2/8) and -log(1/8).
  expected = (np.log(4) + np.log(8)) / 2
  np.testing.assert_allclose(several_positives(logits, keys, positives), [expected], rtol=1e-6)


def test_an_empty_queue_costs_nothing(tmp_path: Path) -> None:
  terms = probe(BiTuning, tmp_path).terms()
  np.testing.assert_allclose([terms['class_contrast'], terms['example_contrast']], 0, atol=1e-6)


def test_gradients_reach_the_network_and_neither_keys_nor_class_weights(tmp_path: Path) -> None:
  here = moved(tmp_path)
  slopes = here.slope('class_contrast')
  assert largest(slopes['extractor']) > 1e-3 and largest(slopes['head']) == 0
  assert largest(here.slope('example_contrast')['projector']) > 1e-3
  network = here.state.states['key_network']
  loss = lambda own: here.but(key_network=own).terms()['example_contrast']
  assert largest(jax.grad(loss)(network)) == 0


def test_the_network_of_the_keys_follows(tmp_path: Path) -> None:
  here = probe(BiTuning, tmp_path, momentum=0.75)
  after, _ = here.step()
  for group in ('extractor', 'projector'):
    expected = jax.tree.map(
      lambda old, new: 0.75 * old + 0.25 * new, here.state.params[group], after.params[group]
    )
    found = after.states['key_network']['params'][group]
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, atol=1e-6), found, expected)


def test_a_head_of_several_layers_is_refused() -> None:
  method = make_method(BiTuning, domain('left', 1), domain('right', 2), head=MLPHead((4,), CLASSES))
  with pytest.raises(UserError, match='the head must be one dense layer'):
    method.check(BATCH)
