"""Batch spectral penalisation: DANN, and one term more."""

from pathlib import Path

import jax
import numpy as np
import pytest

from tests.methods.probe import probe
from tlda.methods import BSP, BSPCDAN, CDAN, DANN, Method


def test_the_penalty_is_of_each_domain_s_singular_values(tmp_path: Path) -> None:
  here = probe(BSP, tmp_path, spectral_weight=0.01, singular_values=2)
  values = [
    np.linalg.svd(np.asarray(o.features, np.float64), compute_uv=False)[:2] for o in here.outputs()
  ]
  expected = 0.01 * sum((value**2).sum() for value in values)
  np.testing.assert_allclose(here.terms()['spectral'], expected, rtol=1e-5)


@pytest.mark.parametrize(('base', 'penalised'), [(DANN, BSP), (CDAN, BSPCDAN)])
def test_the_rest_is_what_it_is_added_to(
  base: type[Method], penalised: type[Method], tmp_path: Path
) -> None:
  without, with_ = (probe(cls, tmp_path / cls.__name__) for cls in (base, penalised))
  jax.tree.map(np.testing.assert_array_equal, with_.state.params, without.state.params)
  plain, terms = without.but(at=2).terms(), with_.but(at=2).terms()
  assert terms.keys() == plain.keys() | {'spectral'}
  for name, value in plain.items():
    np.testing.assert_array_equal(terms[name], value)
