"""DAAN: omega by hand, the classes' own classifiers, and the reversal."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.methods.probe import assert_close, largest, probe
from tlda.methods import DAAN
from tlda.methods.daan import balance, mean_error


@pytest.mark.parametrize(
  ('errors', 'omega'),
  [
    # Distances 2, and 1 and 0: their mean is 1/2, so omega is 0.5 / 2.5.
    ([0.0, 0.25, 0.5], 0.2),
    # Worse than chance counts as chance.
    ([0.7, 0.25, 0.25], 1.0),
    ([0.25, 0.9, 0.5], 0.0),
    ([0.5, 0.5, 0.6], 0.5),
  ],
)
def test_omega_by_hand(errors: list[float], omega: float) -> None:
  np.testing.assert_allclose(balance(jnp.array(errors)), omega, rtol=1e-6, atol=1e-7)


def test_the_loss_is_balanced_and_an_epoch_renews_omega(tmp_path: Path) -> None:
  """44 source examples in batches of 16 are epochs of 2 steps."""
  here = probe(DAAN, tmp_path, at=2)
  loss = {}
  for omega in (0.0, 0.5, 1.0):
    balance = {**here.state.states['balance'], 'omega': jnp.float32(omega)}
    loss[omega] = float(here.but(balance=balance).terms()['domain'])
  assert loss[0.5] == pytest.approx((loss[0.0] + loss[1.0]) / 2, rel=1e-5)
  # The second of two steps, after one in which no classifier was ever wrong.
  balance = {**here.state.states['balance'], 'steps': jnp.int32(1)}
  after, logs = here.but(balance=balance).step()
  assert float(logs['monitor/omega']) == 0.5
  assert int(after.states['balance']['steps']) == 0
  np.testing.assert_array_equal(after.states['balance']['errors'], 0.0)
  # Fresh classifiers are wrong about half the time, so the epoch's errors are about a quarter.
  assert 0.3 < float(after.states['balance']['omega']) < 0.7


def test_each_class_has_a_classifier_of_its_own(tmp_path: Path) -> None:
  here = probe(DAAN, tmp_path, at=2)
  kernel = here.state.params['class_classifiers']['mlp']['logits']['kernel']
  assert kernel.shape == (3, 8, 1)
  assert np.abs(kernel[0] - kernel[1]).max() > 1e-3
  ramp = float(here.context.ramp())
  plain, turned = (here.but(weight=weight).slope('domain') for weight in (-1 / ramp, 0.5))
  for group in ('extractor', 'head'):
    assert_close(turned[group], jax.tree.map(lambda x: -0.5 * ramp * x, plain[group]))
    assert largest(turned[group]) > 1e-6


def test_errors_are_counted_by_probability_and_an_absent_class_is_chance() -> None:
  # Of class 0, errors 1 and 0 with the shares 0.1 and 0.3; of class 1 no example has any.
  wrong, counted = jnp.array([[1.0, 1.0], [0.0, 1.0]]), jnp.array([[0.1, 0.0], [0.3, 0.0]])
  np.testing.assert_allclose(mean_error(wrong, counted), [0.25, 0.5], rtol=1e-6)
