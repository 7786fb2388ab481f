"""Methods for a target that lacks classes: what the absent ones weigh."""

from pathlib import Path

import jax
import numpy as np
import pytest

from tests.methods.probe import probe, same, softmax
from tests.problem import BATCH
from tlda.methods import Outputs
from tlda.methods.label_sets import BA3US, IWAN, PADA


def softplus(x: np.ndarray) -> np.ndarray:
  return np.logaddexp(0, np.asarray(x, np.float64))


def test_the_weight_of_an_absent_class_goes_to_zero(tmp_path: Path) -> None:
  """Of a target that is surely of classes 0 (3 of 4) and 1 (1 of 4), by hand."""
  here = probe(PADA, tmp_path)
  logits = 40 * np.eye(3, dtype=np.float32)[[0, 0, 1, 0]]
  states = here.method.weigh({}, Outputs(features=np.zeros((4, 2)), logits=logits))
  weights = np.asarray(states['class_weights']['weights'])
  np.testing.assert_allclose(weights, [1, 1 / 3, 0], atol=1e-6)
  absent = here.but(class_weights={'weights': np.array([1, 1 / 3, 0], np.float32)})
  labels = np.asarray(here.batch.source.labels)
  outputs = here.outputs()[0]
  losses = -np.log(softmax(outputs.logits)[np.arange(BATCH), labels])
  expected = (np.array([1, 1 / 3, 0])[labels] * losses).mean()
  np.testing.assert_allclose(absent.terms()['task'], expected, rtol=1e-5)
  assert (labels == 2).any()


def test_source_weights_reach_the_domain_loss(tmp_path: Path) -> None:
  here = probe(PADA, tmp_path, at=2)
  one = here.but(class_weights={'weights': np.array([1, 1, 1], np.float32)}).terms()['domain']
  none = here.but(class_weights={'weights': np.zeros(3, np.float32)}).terms()['domain']
  says = lambda method, x: method.domain_classifier(x, train=True)
  source, target = (softplus(here.apply(says, x.features)) for x in here.outputs())
  np.testing.assert_allclose(none, target.mean() / 2, rtol=1e-4)
  # log(1 + exp(-z)) = log(1 + exp(z)) - z.
  logits = np.asarray(here.apply(says, here.outputs()[0].features), np.float64)
  np.testing.assert_allclose(one, (target.mean() + (source - logits).mean()) / 2, rtol=1e-4)


def test_examples_that_look_like_the_target_weigh_more(tmp_path: Path) -> None:
  here = probe(IWAN, tmp_path, at=2)
  source, target = here.outputs()
  weigh = lambda method, x: method.weighing_classifier(x, train=True)
  play = lambda method, x: method.domain_classifier(x, train=True)
  z = np.asarray(here.apply(weigh, source.features), np.float64)
  weights = 1 / (1 + np.exp(z))
  weights /= weights.mean()
  own, other = (np.asarray(here.apply(play, x.features), np.float64) for x in (source, target))
  expected = ((weights * softplus(-own)).mean() + softplus(other).mean()) / 2
  np.testing.assert_allclose(here.terms()['domain'], expected, rtol=1e-4)
  slope = here.slope('weighing')
  assert same(slope['extractor'], jax.tree.map(np.zeros_like, slope['extractor']))
  assert np.ptp(weights) > 1e-3
  assert weights[np.argmin(z)] == pytest.approx(weights.max())


def test_balanced_alignment_and_the_suppression_of_wrong_classes(tmp_path: Path) -> None:
  """All terms from the paper's formulas, half way: of 16 examples 2 are lent."""
  here = probe(BA3US, tmp_path, at=2, lent=0.25)
  classes = np.array([1, 0.5, 0.1])
  here = here.but(class_weights={'weights': classes.astype(np.float32)})
  source, target = here.outputs()
  labels, rows = np.asarray(here.batch.source.labels), np.arange(BATCH)
  says = lambda method, x: method.domain_classifier(x, train=True)
  own, other = (np.asarray(here.apply(says, x.features), np.float64) for x in (source, target))
  p, q = softmax(source.logits), softmax(target.logits)
  entropy = lambda p: -(p * np.log(p)).sum(axis=1)
  sure = lambda p: 1 + np.exp(-entropy(p))
  mean = lambda values, weights: (weights * values).sum() / weights.sum()
  w, rho = classes[labels], 2 / BATCH
  both = mean(
    np.concatenate([softplus(-own), softplus(own[:2])]),
    np.concatenate([w * sure(p), (w * sure(p))[:2]]),
  )
  true = p[rows, labels]
  others = np.array([np.delete(row, label) for row, label in zip(p, labels, strict=True)])
  others /= 1 - true[:, None]
  expected = {
    'task': mean(-np.log(true), w),
    'domain': ((1 + rho) * both + mean(softplus(other), sure(q))) / (2 + rho),
    'entropy': 0.1 * entropy(q).mean(),
    'complement': mean(-entropy(others) / np.log(2), w * (1 - true)),
  }
  found = here.terms()
  assert found.keys() == expected.keys()
  for name, value in expected.items():
    np.testing.assert_allclose(found[name], value, rtol=1e-4, err_msg=name)
