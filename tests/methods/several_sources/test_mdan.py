"""MDAN: its weights and terms by hand, and what its gradient is the gradient of."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests.methods.probe import Probe, assert_close, largest, probe, softmax
from tlda.methods.several_sources import MDAN


def losses(here: Probe) -> tuple[np.ndarray, np.ndarray]:
  """The risk of each source, and the loss of its domain classifier, in float64."""
  source, target = here.outputs()
  labels = np.asarray(here.batch.source.labels)
  picked = np.take_along_axis(
    softmax(source.logits).reshape(*labels.shape, -1), labels[..., None], axis=-1
  )
  net = jax.tree.map(
    lambda w: np.asarray(w, np.float64), here.state.params['domain_classifier']['mlp']
  )
  features = np.asarray(source.features, np.float64).reshape(*labels.shape, -1)

  def logit(x: Any, place: int) -> np.ndarray:
    for name in ('hidden1', 'logits'):
      x = x @ net[name]['kernel'][place] + net[name]['bias'][place]
      x = np.maximum(x, 0) if name == 'hidden1' else x[:, 0]
    return x

  domain = [
    (
      np.log1p(np.exp(-logit(x, place))).mean()
      + np.log1p(np.exp(logit(np.asarray(target.features, np.float64), place))).mean()
    )
    / 2
    for place, x in enumerate(features)
  ]
  return -np.log(picked).mean(axis=(1, 2)), np.array(domain)


def test_terms_weigh_the_worst_source_most(tmp_path: Path) -> None:
  here = probe(MDAN, tmp_path, sources=2, at=2, sharpness=3.0)
  ramp = 2 / (1 + np.exp(-10 * 2 / 4)) - 1
  risks, domain = losses(here)
  values = risks - ramp * domain
  assert abs(values[0] - values[1]) > 1e-2
  shares = np.exp(3 * values) / np.exp(3 * values).sum()
  assert_close(here.terms(), {'task': shares @ risks, 'domain': shares @ domain}, rtol=1e-5)
  worst = values.argmax()
  hard = here.but(smoothed=False).terms()
  assert_close(hard, {'task': risks[worst], 'domain': domain[worst]}, rtol=1e-5)


def test_the_network_descends_the_smoothed_maximum(tmp_path: Path) -> None:
  here = probe(MDAN, tmp_path, sources=2, at=2, sharpness=3.0)
  step, group = 1e-2, 'head'
  slope = here.slope('task')[group]
  assert largest(slope) > 1e-3

  def maximum(sign: float) -> float:
    moved = jax.tree.map(lambda w, g: w + sign * step * g, here.state.params[group], slope)
    risks, domain = losses(here.but(params={**here.state.params, group: moved}))
    values = risks - (2 / (1 + np.exp(-5)) - 1) * domain
    return np.log(np.exp(3 * values).sum()) / 3

  squared = sum(float((np.asarray(g, np.float64) ** 2).sum()) for g in jax.tree.leaves(slope))
  found = (maximum(1) - maximum(-1)) / (2 * step)
  assert found == pytest.approx(squared, rel=1e-2)


def test_each_source_has_a_classifier_whose_gradient_is_reversed(tmp_path: Path) -> None:
  here = probe(MDAN, tmp_path, sources=2, at=2, smoothed=False)
  ramp = float(here.context.ramp())
  turned = here.slope('domain')
  kernel = np.abs(turned['domain_classifier']['mlp']['logits']['kernel']).sum(axis=(1, 2))
  assert sorted(kernel > 0) == [False, True]  # Of the worst source alone.
  # A weight that turns the reversal round again; the sources are ranked by their risks either way.
  risks, domain = losses(here)
  worst = [np.argmax(risks - sign * ramp * domain) for sign in (1, -1)]
  assert worst[0] == worst[1]
  plain = here.but(weight=-1.0).slope('domain')
  assert_close(turned['extractor'], jax.tree.map(lambda x: -x, plain['extractor']))
  assert largest(turned['extractor']) > 1e-5
