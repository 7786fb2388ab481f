"""MixStyle: whose styles are mixed, in what shares, where, and when."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests.methods.probe import probe
from tests.problem import BATCH, SmallConvolutions, domain, make_method, make_run
from tlda.errors import UserError
from tlda.methods import SourceOnly
from tlda.methods.generalization import MixStyle
from tlda.training.fit import fit

MAPS = np.random.default_rng(0).normal(1, 2, (3 * 4, 5, 5, 2)).astype(np.float32)


def style(maps: Any) -> tuple[np.ndarray, np.ndarray]:
  """The mean and the deviation of each channel of each map, in float64."""
  maps = np.asarray(maps, np.float64)
  return maps.mean((1, 2)), maps.std((1, 2))


def mixed(key: int = 0, **fields: Any) -> np.ndarray:
  """The maps of three sources of four examples, mixed."""
  domains = [domain(str(seed), seed) for seed in range(4)]
  method = make_method(MixStyle, domains[0], domains[3], *domains[1:3], **fields)
  return np.asarray(method.mix(MAPS, jax.random.key(key)))


def test_halves_of_another_source_by_hand() -> None:
  """A large alpha makes all shares one half: what is not the own half names the partner."""
  found = mixed(alpha=1e8, probability=1.0)
  other = [2 * new - own for new, own in zip(style(found), style(MAPS), strict=True)]
  means, deviations = style(MAPS)
  partners = [
    int(np.argmin(np.abs(means - mean).max(1) + np.abs(deviations - deviation).max(1)))
    for mean, deviation in zip(*other, strict=True)
  ]
  np.testing.assert_allclose(other[0], means[partners], atol=1e-3)
  np.testing.assert_allclose(other[1], deviations[partners], atol=1e-3)
  assert sorted(partners) == list(range(12))
  sources = np.array(partners).reshape(3, 4) // 4
  assert sorted(sources[:, 0]) == [0, 1, 2]
  assert all((row == row[0]).all() and row[0] != own for own, row in enumerate(sources))
  # The content, which is what a style is taken from, stays.
  contents = [
    (maps - mean[:, None, None]) / deviation[:, None, None]
    for maps, (mean, deviation) in ((x, style(x)) for x in (found, MAPS))
  ]
  np.testing.assert_allclose(*contents, atol=1e-4)


def test_each_example_has_a_share_of_its_own() -> None:
  found, own = style(mixed(alpha=1.0, probability=1.0)), style(MAPS)
  halves = style(mixed(alpha=1e8, probability=1.0))
  shares = 1 - (found[0] - own[0]) / (2 * (halves[0] - own[0]))
  np.testing.assert_allclose(shares[:, 0], shares[:, 1], atol=1e-3)
  assert (shares > -1e-3).all()
  assert (shares < 1 + 1e-3).all()
  assert np.ptp(shares) > 0.3


def test_mixing_is_by_chance() -> None:
  moved = [np.abs(mixed(key, alpha=1.0, probability=0.25) - MAPS).max() > 1e-3 for key in range(80)]
  # Three standard deviations of 80 draws.
  assert abs(np.mean(moved) - 0.25) < 3 * np.sqrt(0.25 * 0.75 / 80)


def test_the_risk_is_that_of_mixed_maps_after_the_first_stage(tmp_path: Path) -> None:
  fields = {'extractor': SmallConvolutions(), 'alpha': 1.0}
  here = probe(MixStyle, tmp_path / 'mixed', sources=2, probability=1.0, **fields)
  plain = probe(SourceOnly, tmp_path / 'plain', sources=2, extractor=SmallConvolutions())
  never = here.but(probability=0.0).terms()['task']
  np.testing.assert_allclose(never, plain.terms()['task'], rtol=1e-5)
  assert abs(here.terms()['task'] - never) > 1e-4
  # By hand from the first stage on, which the second convolution reads.
  net, flat = here.state.params['extractor'], here.batch.source.flat()
  first, sown = SmallConvolutions().apply({'params': net}, flat.inputs, mutable=['intermediates'])
  maps = here.method.mix(sown['intermediates']['stage1'][0], here.context.key('mixstyle1'))
  assert maps.shape == (2 * BATCH, 3, 3, 4)
  kernel = np.asarray(net['conv2']['kernel'], np.float64)
  padded = np.pad(np.asarray(maps, np.float64), ((0, 0), (0, 1), (0, 1), (0, 0)))
  x = sum(
    padded[:, i : i + 3, j : j + 3] @ kernel[i, j] for i in range(2) for j in range(2)
  ) + np.asarray(net['conv2']['bias'])
  head = here.state.params['head']['logits']
  logits = np.tanh(x.mean((1, 2))) @ head['kernel'] + head['bias']
  risks = -jax.nn.log_softmax(logits)[np.arange(2 * BATCH), flat.labels]
  np.testing.assert_allclose(here.terms()['task'], risks.mean(), rtol=1e-4)


def test_styles_get_no_gradient() -> None:
  domains = [domain(str(seed), seed) for seed in range(3)]
  method = make_method(MixStyle, *domains, alpha=1.0, probability=1.0)
  maps = MAPS[:8]
  total = lambda maps: method.mix(maps, jax.random.key(0)).sum((1, 2))
  slope = jax.jacrev(total)(maps)  # Of [examples, channels] by maps.
  wide = slope[np.arange(8), :, np.arange(8)]
  # With constant styles it is the quotient of deviations at each position.
  quotient = style(method.mix(maps, jax.random.key(0)))[1] / style(maps)[1]
  for channel in range(2):
    expected = np.broadcast_to(quotient[:, None, None, channel], (8, 5, 5))
    np.testing.assert_allclose(wide[:, channel, :, :, channel], expected, rtol=1e-3)
  slope = np.array(slope)
  slope[np.arange(8), :, np.arange(8)] = 0
  assert np.abs(slope).max() == 0


def test_a_network_without_stages_is_refused(tmp_path: Path) -> None:
  with pytest.raises(UserError, match='MixStyle needs a convolutional --backbone of two stages'):
    fit(make_run(MixStyle, tmp_path, sources=2))
