"""DANN with a class for each domain: its loss by hand, and the reversal."""

from pathlib import Path

import jax
import numpy as np

from tests.methods.probe import assert_close, largest, probe, softmax
from tests.problem import BATCH
from tlda.methods.several_sources import MultiDomainDANN


def test_the_domain_loss_by_hand(tmp_path: Path) -> None:
  here = probe(MultiDomainDANN, tmp_path, sources=2, at=2)
  source, target = here.outputs()
  net = jax.tree.map(lambda w: np.asarray(w, np.float64), here.state.params['discriminator'])
  x = np.concatenate([source.features, target.features]).astype(np.float64)
  x = np.maximum(x @ net['hidden1']['kernel'] + net['hidden1']['bias'], 0)
  shares = softmax(x @ net['logits']['kernel'] + net['logits']['bias'])
  domains = [0] * BATCH + [1] * BATCH + [2] * BATCH
  assert shares.shape == (3 * BATCH, 3)
  expected = -np.log(shares[np.arange(3 * BATCH), domains]).mean()
  np.testing.assert_allclose(here.terms()['domain'], expected, rtol=1e-5)


def test_the_extractor_gets_the_reversed_gradient(tmp_path: Path) -> None:
  here = probe(MultiDomainDANN, tmp_path, sources=2, at=2)
  plain, turned = (here.but(weight=weight).slope('domain') for weight in (-1.0, 0.5))
  assert_close(turned['extractor'], jax.tree.map(lambda x: -0.5 * x, plain['extractor']))
  assert largest(turned['extractor']) > 1e-5
  assert_close(turned['discriminator'], plain['discriminator'])


def test_a_single_source_works_too(tmp_path: Path) -> None:
  here = probe(MultiDomainDANN, tmp_path, at=2)
  assert here.state.params['discriminator']['logits']['bias'].shape == (2,)
  assert set(here.terms()) == {'task', 'domain'}
