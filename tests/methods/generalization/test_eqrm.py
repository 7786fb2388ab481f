"""EQRM: the quantile of a kernel density estimate, its gradient, and when it counts."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.methods.generalization.by_hand import risks
from tests.methods.probe import probe
from tests.problem import make_run
from tlda.errors import UserError
from tlda.methods.generalization import EQRM
from tlda.methods.generalization.eqrm import kernel_quantile
from tlda.training.run import refuse


def quantile(values: np.ndarray, share: float) -> float:
  """The root of the distribution function, by bisection in float64."""
  from math import erf

  width = 1.06 * values.std(ddof=1) * len(values) ** -0.2
  below = lambda x: np.mean([(1 + erf((x - v) / width / 2**0.5)) / 2 for v in values])
  low, high = values.min() - 9 * width, values.max() + 9 * width
  for _ in range(100):
    middle = (low + high) / 2
    low, high = (middle, high) if below(middle) < share else (low, middle)
  return low


def test_quantile_and_its_gradient() -> None:
  values = np.array([0.3, 1.1, 0.7, 2.5])
  compiled = jax.jit(jax.value_and_grad(kernel_quantile), static_argnums=1)
  for share in (0.1, 0.75, 0.99):
    found, slope = compiled(jnp.asarray(values, jnp.float32), share)
    np.testing.assert_allclose(found, quantile(values, share), rtol=1e-5)
    moves = 1e-5 * np.eye(4)
    expected = [(quantile(values + m, share) - quantile(values - m, share)) / 2e-5 for m in moves]
    np.testing.assert_allclose(slope, expected, rtol=1e-3, atol=1e-4)
  found, slope = compiled(jnp.ones(3), 0.75)  # Equal risks: no width, no quantile but their value.
  np.testing.assert_allclose(found, 1, rtol=1e-5)
  assert np.isfinite(slope).all()


def test_the_mean_at_first_then_the_quantile(tmp_path: Path) -> None:
  here = probe(EQRM, tmp_path, at=1, sources=2, quantile=0.9)
  np.testing.assert_allclose(here.terms()['task'], risks(here).mean(), rtol=1e-5)
  here = here.but(at=2)
  np.testing.assert_allclose(here.terms()['task'], quantile(risks(here), 0.9), rtol=1e-4)


@pytest.mark.parametrize('share', [0.0, 1.0, float('nan')])
def test_a_quantile_beyond_all_risks_is_refused(tmp_path: Path, share: float) -> None:
  with pytest.raises(UserError, match=f'quantile must be above 0 and below 1, not {share}'):
    refuse(make_run(EQRM, tmp_path, sources=2, quantile=share))
