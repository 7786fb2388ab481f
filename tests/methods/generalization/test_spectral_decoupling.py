"""Spectral decoupling: the squared length of logits."""

from pathlib import Path

import numpy as np

from tests.methods.generalization.by_hand import logits, risks
from tests.methods.probe import probe
from tlda.methods.generalization import SpectralDecoupling


def test_terms_by_hand(tmp_path: Path) -> None:
  here = probe(SpectralDecoupling, tmp_path, sources=2, weight=0.6)
  terms = here.terms()
  np.testing.assert_allclose(terms['task'], risks(here).mean(), rtol=1e-5)
  np.testing.assert_allclose(terms['logits'], 0.3 * (logits(here) ** 2).sum(2).mean(), rtol=1e-5)
