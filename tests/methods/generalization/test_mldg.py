"""MLDG: its gradient is the second-order formula, worked out on a linear model."""

from pathlib import Path

import jax
import numpy as np

from tests.methods.generalization.by_hand import Flat, LinearModel, joined, phase_gradients
from tests.methods.probe import Probe, probe
from tlda.methods.generalization import MLDG


def steps_of_each_order(here: Probe) -> dict[tuple[int, ...], int]:
  """A step that holds out the first source, and one that holds out the second."""
  orders = [jax.random.permutation(here.but(at=at).context.key('order'), 2) for at in range(6)]
  steps = {tuple(order.tolist()): step for step, order in enumerate(orders)}
  assert len(steps) == 2
  return steps


def test_the_second_order_formula_on_a_linear_model(tmp_path: Path) -> None:
  fields = {'weight': 2.0, 'inner_rate': 0.5}
  here = probe(MLDG, tmp_path, sources=2, images=False, extractor=Flat(), **fields)
  for order, step in steps_of_each_order(here).items():
    here = here.but(at=step)
    held, other = (LinearModel(here, [each]) for each in order)
    weights = joined(here.state.params)
    inner = weights - 0.5 * other.gradient(weights)
    outer = held.gradient(inner)
    # d G(w - a F'(w)) / dw = (I - a F''(w)) G'(w - a F'(w)).
    expected = other.gradient(weights) + 2 * (outer - 0.5 * other.curved(weights, outer))
    grads, (terms, states) = phase_gradients(here)
    np.testing.assert_allclose(joined(grads), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(terms['task'], other.risk(weights), rtol=1e-5)
    np.testing.assert_allclose(terms['held_out'], 2 * held.risk(inner), rtol=1e-5)
    first_order = other.gradient(weights) + 2 * outer
    assert np.abs(joined(grads) - first_order).max() > 1e-3
    np.testing.assert_array_equal(states['order']['sources'], order)
