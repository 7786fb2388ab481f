"""SagNet: what is exchanged, and what each loss moves."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests.methods.generalization.test_mixstyle import MAPS, style
from tests.methods.probe import largest, probe
from tests.problem import SmallConvolutions, domain, make_method, make_run
from tlda.errors import UserError
from tlda.methods.generalization import SagNet
from tlda.training.fit import fit


def content(maps: np.ndarray) -> np.ndarray:
  """What is left of maps without their styles."""
  mean, deviation = (x[:, None, None] for x in style(maps))
  return (np.asarray(maps, np.float64) - mean) / deviation


def test_styles_are_exchanged_with_their_labels_and_contents_stay() -> None:
  domains = [domain(str(seed), seed) for seed in range(4)]
  method = make_method(SagNet, domains[0], domains[3], *domains[1:3])
  (means, deviations), rows = style(MAPS), np.arange(len(MAPS))
  found, labels = method.exchanged(MAPS, rows, jax.random.key(0))
  assert sorted(labels.tolist()) == rows.tolist()
  assert (np.asarray(labels) != rows).any()
  for own, other in zip(style(found), (means, deviations), strict=True):
    np.testing.assert_allclose(own, other[labels], atol=1e-3)
  between = method.randomised(MAPS, jax.random.key(0))
  order, _ = jax.random.split(jax.random.key(0))
  partners = np.asarray(method._of_others(rows, order))
  moved, gap = style(between)[0] - means, means[partners] - means
  shares = moved[partners != rows] / gap[partners != rows]  # Of each channel: the same, in [0, 1].
  np.testing.assert_allclose(shares, shares[:, :1] * [1, 1], atol=1e-2)
  assert (shares > -1e-2).all()
  assert (shares < 1 + 1e-2).all()
  for maps in (found, between):
    np.testing.assert_allclose(content(maps), content(MAPS), atol=1e-3)


def test_each_loss_moves_what_it_should(tmp_path: Path) -> None:
  here = probe(SagNet, tmp_path, extractor=SmallConvolutions(), stage=1)
  terms = ('task', 'style', 'adversarial')

  @jax.jit
  @jax.grad
  def slope(params: Any, shares: dict[str, float]) -> Any:
    found = here.but(params=params).terms()
    return sum(shares[term] * found[term] for term in terms)

  slopes = {
    term: slope(here.state.params, {name: float(name == term) for name in terms}) for term in terms
  }
  assert {
    term: {group for group, tree in found.items() if largest(tree) > 0}
    for term, found in slopes.items()
  } == {
    'task': {'extractor', 'head'},
    'style': {'style_extractor', 'style_head'},
    'adversarial': {'extractor'},
  }
  deceiving = slopes['adversarial']['extractor']
  assert largest(deceiving['conv1']) > 0
  assert largest(deceiving['conv2']) == 0


def test_a_network_without_the_stage_is_refused(tmp_path: Path) -> None:
  with pytest.raises(UserError, match='a convolutional --backbone with a layer behind stage 3'):
    fit(make_run(SagNet, tmp_path))
