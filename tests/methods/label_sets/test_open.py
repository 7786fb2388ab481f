"""Methods for a target with classes of its own: what they reject, and what they learn of it."""

import dataclasses
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from tests.methods.probe import Probe, largest, probe, softmax
from tests.problem import make_run
from tlda.errors import UserError
from tlda.evaluation.open_set import open_set_scores
from tlda.methods.label_sets import OSBP, UAN, OVANet, SoftmaxThreshold
from tlda.methods.label_sets.ovanet import one_against_all
from tlda.methods.label_sets.uan import scaled
from tlda.training.fit import fit
from tlda.training.run import refuse


def with_bias(here: Probe, bias: list[float]) -> Probe:
  """The probe with a head that says the same of every example."""
  kernel = jnp.zeros_like(here.state.params['head']['logits']['kernel'])
  head = {'logits': {'kernel': kernel, 'bias': jnp.asarray(bias)}}
  return here.but(params={**here.state.params, 'head': head})


def predicted(here: Probe) -> np.ndarray:
  inputs = np.random.default_rng(0).normal(size=(5, 8, 8, 1)).astype(np.float32)
  outputs = here.method.apply(here.state.variables, inputs, 1)
  return np.argmax(np.asarray(outputs.logits), axis=1)


def test_improbable_is_unknown(tmp_path: Path) -> None:
  """Two known classes at odds of 3 to 1; the logit of 'unknown' itself says nothing."""
  here = with_bias(probe(SoftmaxThreshold, tmp_path), [np.log(3), 0.0, 9.0])
  assert set(predicted(here.but(threshold=0.74))) == {0}
  assert set(predicted(here.but(threshold=0.76))) == {2}
  loss = -np.log(np.array([0.75, 0.25]))[np.asarray(here.batch.source.labels)].mean()
  np.testing.assert_allclose(here.terms()['task'], loss, rtol=1e-5)


def test_the_boundary_is_where_the_loss_is_least(tmp_path: Path) -> None:
  """By hand: -t log p - (1 - t) log(1 - p), of p = 1/2 and of p = 1/4, t = 1/4."""
  here = probe(OSBP, tmp_path, boundary=0.25)
  at = lambda bias: with_bias(here, bias).terms()['boundary']
  half, best = at([0.0, 0.0, np.log(2)]), at([0.0, 0.0, np.log(2 / 3)])
  np.testing.assert_allclose(half, np.log(2), rtol=1e-5)
  np.testing.assert_allclose(best, -0.25 * np.log(0.25) - 0.75 * np.log(0.75), rtol=1e-5)
  still = with_bias(here, [0.0, 0.0, np.log(2 / 3)]).slope('boundary')
  assert largest(still['head']) < 1e-6, 'at the boundary the head is held'


def test_the_extractor_goes_the_other_way(tmp_path: Path) -> None:
  """A step along the head's gradient lowers the loss, one along the extractor's raises it."""
  here = probe(OSBP, tmp_path, boundary=0.1)
  before, slope = here.terms()['boundary'], here.slope('boundary')

  def after(group: str) -> Any:
    layers = {name: dict(layer) for name, layer in here.state.params[group].items()}
    for name, layer in layers.items():
      layers[name] = {key: w - 0.05 * slope[group][name][key] for key, w in layer.items()}
    return here.but(params={**here.state.params, group: layers}).terms()['boundary']

  assert after('head') < before < after('extractor')


def test_universal_weights_by_hand(tmp_path: Path) -> None:
  here = probe(UAN, tmp_path, at=2)
  source, target = here.outputs()
  says = lambda method, x: method.weighing_classifier(x, train=True)
  weights = []
  for outputs in (source, target):
    p = softmax(outputs.logits[:, :2])
    uncertain = -(p * np.log(p)).sum(axis=1) / np.log(2)
    similar = 1 / (1 + np.exp(-np.asarray(here.apply(says, outputs.features), np.float64)))
    weights.append(similar - uncertain)
  np.testing.assert_allclose(
    here.apply(lambda m, x: m._transferability(x, m._weighing(x, train=True)), target),
    weights[1],
    rtol=1e-4,
    atol=1e-6,
  )
  between = (weights[1] - weights[1].min()) / np.ptp(weights[1])
  np.testing.assert_allclose(scaled(jnp.asarray(weights[1])), between / between.mean(), rtol=1e-4)
  np.testing.assert_array_equal(scaled(jnp.ones(4)), np.ones(4))
  assert set(predicted(here.but(threshold=1.1))) == {2}
  assert 2 not in predicted(here.but(threshold=-1.1))


def test_one_against_all_by_hand() -> None:
  logits = jnp.asarray([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0]])
  own, others = one_against_all(logits, jnp.asarray([0, 2]))
  np.testing.assert_allclose(own, np.log1p(np.exp([-2.0, -1.0])), rtol=1e-5)
  np.testing.assert_allclose(others, np.log1p(np.exp([0.5, 3.0])), rtol=1e-5)


def test_what_is_of_no_class_is_unknown(tmp_path: Path) -> None:
  here = probe(OVANet, tmp_path)
  kernel = jnp.zeros_like(here.state.params['open_head']['logits']['kernel'])

  def holding(bias: list[float]) -> Probe:
    head = {'logits': {'kernel': kernel, 'bias': jnp.asarray(bias)}}
    return here.but(params={**with_bias(here, [1.0, 0.0, 9.0]).state.params, 'open_head': head})

  assert set(predicted(holding([0.1, -5.0]))) == {0}
  assert set(predicted(holding([-0.1, 5.0]))) == {2}
  np.testing.assert_allclose(holding([0.0, 0.0]).terms()['entropy'], 0.1 * np.log(2), rtol=1e-5)


def test_scores_by_hand() -> None:
  """Accuracies of 3/4 and 1/2 of the known classes, and of 1/5 of the unknown."""
  scores = open_set_scores(np.array([[3, 0, 1], [1, 1, 0], [4, 0, 1]]))
  expected = {'os': 1.45 / 3, 'os_star': 0.625, 'unknown': 0.2, 'h_score': 0.25 / 0.825}
  assert {name: float(value) for name, value in scores.items()} == pytest.approx(expected)
  assert open_set_scores(np.array([[2, 0], [1, 0]]))['h_score'] == 0
  without = open_set_scores(np.array([[9, 1, 0], [0, 10, 0], [0, 0, 0]]))
  assert without['os'] == without['os_star'] == 0.95
  assert np.isnan([without['unknown'], without['h_score']]).all()


def test_a_run_reports_them(tmp_path: Path) -> None:
  result = fit(make_run(SoftmaxThreshold, tmp_path, seeds=(0, 1)))
  matrices = np.array(result['confusion_matrix']['target_test'])
  assert matrices.shape == (2, 3, 3)
  assert result['class_names'] == ['a', 'b', 'unknown']
  for name in ('os', 'os_star', 'unknown', 'h_score'):
    assert result[name]['target_test'] == pytest.approx(open_set_scores(matrices)[name].tolist())
  assert matrices[:, 2].sum() > 0


def test_a_closed_problem_is_refused(tmp_path: Path) -> None:
  run = make_run(OSBP, tmp_path)
  closed = run.method.clone(spec=dataclasses.replace(run.method.spec, unknown=False))
  with pytest.raises(UserError, match='OSBP rejects what the source lacks'):
    refuse(dataclasses.replace(run, method=closed))
