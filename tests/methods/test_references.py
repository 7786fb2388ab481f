"""Methods that hold to the network that training began with: DELTA, LwF, Co-Tuning."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import numpy as np

from tests.methods.probe import Probe, probe, same, softmax
from tests.problem import make_run
from tlda.methods import BSS, DELTA, CoTuning, LwF, TargetOnly
from tlda.training import checkpoint
from tlda.training.fit import Trainer, fit


def dense(params: Any, x: Any) -> np.ndarray:
  return np.asarray(x, np.float64) @ np.asarray(params['kernel'], np.float64) + params['bias']


def features(here: Probe, *, trained: bool) -> tuple[np.ndarray, np.ndarray]:
  """Returns the stage and the features of the batch, of statistics of the batch or running ones."""
  own = here.state.params if trained else here.state.states['reference']['params']
  own = own['extractor']
  inputs = np.asarray(here.batch.target.inputs)
  x = dense(own['Dense_0'], inputs.reshape(len(inputs), -1))
  if trained:
    mean, variance = x.mean(axis=0), x.var(axis=0)
  else:
    running = here.state.states['reference']['batch_stats']['extractor']['Normalization_0']
    mean, variance = running['mean'], running['var']
  norm = own['Normalization_0']
  x = (x - mean) / np.sqrt(variance + 1e-5) * norm['scale'] + norm['bias']
  stage = dense(own['Dense_1'], np.maximum(x, 0))
  return stage, np.tanh(stage)


def moved(cls: Any, folder: Path, **fields: Any) -> Probe:
  """Returns a method after two steps: the reference is no longer what is trained."""
  here = probe(cls, folder, **fields)
  return dataclasses.replace(here, state=here.train(2), batch=here.batch_of(2))


def test_delta_is_the_distance_of_stages_from_the_start(tmp_path: Path) -> None:
  here = moved(DELTA, tmp_path, weight=0.3)
  (own, _), (reference, _) = features(here, trained=True), features(here, trained=False)
  expected = 0.3 * ((own - reference) ** 2).mean() / 2
  np.testing.assert_allclose(here.terms()['feature_maps'], expected, rtol=1e-4)


def test_the_reference_never_moves_and_gets_no_gradient(tmp_path: Path) -> None:
  first = probe(DELTA, tmp_path)
  start = jax.tree.map(np.array, first.state.params['extractor'])
  here = moved(DELTA, tmp_path / 'moved')
  reference = here.state.states['reference']
  assert same(reference['params']['extractor'], start)
  assert not same(here.state.params['extractor'], start)
  loss = lambda held: here.but(reference=held).terms()['feature_maps']
  assert not any(np.asarray(leaf).any() for leaf in jax.tree.leaves(jax.grad(loss)(reference)))


def test_bss_shrinks_the_features_of_the_batch(tmp_path: Path) -> None:
  here = probe(BSS, tmp_path, weight=0.1, singular_values=2)
  (outputs,) = here.outputs()
  values = np.linalg.svd(np.asarray(outputs.features, np.float64), compute_uv=False)
  expected = 0.1 * (values[-2:] ** 2).sum()
  np.testing.assert_allclose(here.terms()['spectral'], expected, rtol=1e-4)


def test_lwf_holds_the_old_head_s_predictions(tmp_path: Path) -> None:
  here = moved(LwF, tmp_path, weight=0.5, temperature=2.0)
  heads = here.state.params, here.state.states['reference']['params']
  assert not same(*(head['old_head'] for head in heads))
  own, reference = (
    softmax(dense(head['old_head']['logits'], features(here, trained=trained)[1]) / 2)
    for head, trained in zip(heads, (True, False), strict=True)
  )
  expected = 0.5 * (reference * np.log(reference / own)).sum(axis=1).mean()
  np.testing.assert_allclose(here.terms()['old_task'], expected, rtol=1e-4)


def test_co_tuning_relates_classes_by_all_that_was_seen(tmp_path: Path) -> None:
  here = probe(CoTuning, tmp_path, weight=0.5)
  kernel = here.state.states['reference']['params']['old_head']['logits']
  sums, counts = np.zeros((3, 5)), np.zeros(3)
  for step in range(2):
    now = dataclasses.replace(here, batch=here.batch_of(step), state=here.train(step))
    predicted = softmax(dense(kernel, features(now, trained=False)[1]))
    for label, row in zip(np.asarray(now.batch.target.labels), predicted, strict=True):
      sums[label], counts[label] = sums[label] + row, counts[label] + 1
  wanted = (sums / counts[:, None])[np.asarray(now.batch.target.labels)]
  own = softmax(dense(now.state.params['old_head']['logits'], features(now, trained=True)[1]))
  expected = 0.5 * (wanted * np.log(wanted / own)).sum(axis=1).mean()
  terms, states = now.run()
  np.testing.assert_allclose(terms['old_classes'], expected, rtol=1e-4)
  np.testing.assert_allclose(states['relationship']['sums'], sums, rtol=1e-5)
  np.testing.assert_array_equal(states['relationship']['counts'], counts)


def test_a_run_from_another_has_a_reference_and_a_head_of_its_own(tmp_path: Path) -> None:
  fit(make_run(DELTA, tmp_path / 'first', steps=2))
  first = checkpoint.Checkpoints(tmp_path / 'first' / 'checkpoints').latest()[1]
  kernel = 'extractor.Dense_0.kernel'
  for cls in (DELTA, LwF):
    run = make_run(cls, tmp_path / cls.__name__, initial=tmp_path / 'first')
    states = checkpoint.flatten(Trainer(run)._created()[0])
    start = first[f'params.{kernel}'][0]
    np.testing.assert_array_equal(states[f'params.{kernel}'], start)
    np.testing.assert_array_equal(states[f'states.reference.params.{kernel}'], start)
    assert not np.array_equal(first[f'states.reference.params.{kernel}'][0], start)
    head = 'params.head.logits.kernel'
    assert np.array_equal(states[head], first[head][0]) == (cls is DELTA)


def test_with_no_weight_there_is_only_the_task(tmp_path: Path) -> None:
  plain = probe(TargetOnly, tmp_path)
  for cls in (DELTA, BSS, LwF, CoTuning):
    here = probe(cls, tmp_path / cls.__name__, weight=0.0)
    terms = here.terms()
    np.testing.assert_allclose(sum(terms.values()), plain.terms()['task'], rtol=1e-6)
