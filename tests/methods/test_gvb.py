"""GVB: what is predicted, its terms in NumPy, and who vanishes."""

from pathlib import Path

import jax
import numpy as np

from tests.methods.probe import assert_close, largest, probe
from tlda.methods import GVB


def test_predictions_are_the_head_less_the_bridge(tmp_path: Path) -> None:
  here = probe(GVB, tmp_path, at=2)
  inputs = here.batch.target.inputs
  outputs = here.apply('__call__', inputs, 0)
  layers = here.state.params['head']['logits'], here.state.params['bridge']
  head, bridge = (outputs.features @ x['kernel'] + x['bias'] for x in layers)
  np.testing.assert_allclose(outputs.logits, head - bridge, rtol=1e-4, atol=1e-6)
  assert np.abs(bridge).max() > 1e-3


def test_terms_are_the_papers(tmp_path: Path) -> None:
  here = probe(GVB, tmp_path, at=2, generator_bridge=0.5, discriminator_bridge=0.25)
  outputs = here.outputs()
  net = jax.tree.map(lambda w: np.asarray(w, np.float64), here.state.params)
  dense = lambda x, layer: x @ layer['kernel'] + layer['bias']
  domain, gamma, sigma = [], [], []
  for sign, x in zip((-1, 1), outputs, strict=True):
    g = np.exp(np.asarray(x.logits, np.float64))
    g /= g.sum(1, keepdims=True)
    two = dense(
      np.maximum(dense(g, net['discriminator']['hidden1']), 0), net['discriminator']['logits']
    )
    weight = np.exp((g * np.log(g)).sum(1))
    loss = np.log1p(np.exp(sign * (two[:, 0] - two[:, 1])))
    domain.append((weight * loss).sum() / weight.sum())
    sigma.append(np.abs(two[:, 1]).mean())
    gamma.append(np.abs(dense(np.asarray(x.features, np.float64), net['bridge'])).mean())
  terms = here.terms()
  np.testing.assert_allclose(terms['domain'], np.mean(domain), rtol=1e-5)
  np.testing.assert_allclose(terms['generator_bridge'], 0.5 * np.mean(gamma), rtol=1e-5)
  np.testing.assert_allclose(terms['discriminator_bridge'], 0.25 * np.mean(sigma), rtol=1e-5)


def test_the_network_gets_the_reversed_gradient(tmp_path: Path) -> None:
  here = probe(GVB, tmp_path, at=2)
  ramp = float(here.context.ramp())
  plain, turned = (here.but(weight=weight).slope('domain') for weight in (-1 / ramp, 0.5))
  for group in ('extractor', 'head', 'bridge'):
    assert_close(turned[group], jax.tree.map(lambda x: -0.5 * ramp * x, plain[group]))
    assert largest(turned[group]) > 1e-6
  assert_close(turned['discriminator'], plain['discriminator'])
