"""Batch spectral penalisation: DANN, and one term more."""

from pathlib import Path

import jax
import numpy as np
import pytest

from tests.methods.one_step import OneStep
from tlda.errors import UserError
from tlda.methods import BSP, DANN, Context, Outputs


def test_the_penalty_is_of_each_domain_s_singular_values(tmp_path: Path) -> None:
  step = OneStep(tmp_path, BSP, spectral_weight=0.01, singular_values=2)
  values = [
    np.linalg.svd(np.asarray(o.features, np.float64), compute_uv=False)[:2]
    for o in step.apply('outputs', step.batch)
  ]
  expected = 0.01 * sum((value**2).sum() for value in values)
  np.testing.assert_allclose(step.terms()['spectral'], expected, rtol=1e-5)


def test_the_rest_is_dann(tmp_path: Path) -> None:
  dann, bsp = (OneStep(tmp_path / cls.__name__, cls) for cls in (DANN, BSP))
  jax.tree.map(np.testing.assert_array_equal, bsp.state.params, dann.state.params)
  plain, terms = dann.terms(step=2), bsp.terms(step=2)
  assert terms.keys() == plain.keys() | {'spectral'}
  for name, value in plain.items():
    np.testing.assert_array_equal(terms[name], value)


class Doubled(DANN):
  """Stands for another adversarial method."""

  def domain_loss(self, source: Outputs, target: Outputs, context: Context) -> jax.Array:
    return 2 * super().domain_loss(source, target, context)


class DoubledBSP(BSP, Doubled):
  """Is that method with the penalty."""


def test_another_adversarial_method_takes_the_penalty_by_inheritance(tmp_path: Path) -> None:
  one, other = (OneStep(tmp_path / cls.__name__, cls).terms() for cls in (BSP, DoubledBSP))
  np.testing.assert_allclose(other['domain'], 2 * one['domain'], rtol=1e-6)
  assert other['spectral'] == one['spectral'] > 0


def test_no_singular_value_is_refused(tmp_path: Path) -> None:
  with pytest.raises(UserError, match='singular_values=0'):
    OneStep(tmp_path, BSP, singular_values=0)
