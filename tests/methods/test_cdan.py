"""CDAN: its two maps and its weights by hand, and the reversal of features and of predictions."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.methods.probe import assert_close, largest, probe
from tests.problem import domain, make_method
from tlda.methods import CDAN, CDANE, Context, Method, Outputs

START = Context(jnp.int32(0), jnp.int32(0), 4)


def unbound(cls: type[Method] = CDAN, **fields: Any) -> Method:
  return make_method(cls, domain('left', 1), domain('right', 2), **fields)


def test_the_outer_product_by_hand() -> None:
  # Probabilities (1/4, 3/4) times features (2, 4).
  outputs = Outputs(jnp.array([[2.0, 4.0]]), jnp.log(jnp.array([[1.0, 3.0]])))
  np.testing.assert_allclose(unbound().condition(outputs, START), [[0.5, 1.0, 1.5, 3.0]], rtol=1e-6)


def test_the_random_map_keeps_inner_products_and_never_changes() -> None:
  method = unbound(random_dimension=40_000)
  rng = np.random.default_rng(0)
  features, logits = rng.normal(size=(2, 6)), rng.normal(size=(2, 3))
  outputs = Outputs(jnp.asarray(features, jnp.float32), jnp.asarray(logits, jnp.float32))
  mapped = np.asarray(method.condition(outputs, START), np.float64)
  g = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
  exact = (features @ features.T) * (g @ g.T)
  np.testing.assert_allclose(mapped @ mapped.T, exact, atol=0.05 * np.abs(exact).max())
  later = method.condition(outputs, START.replace(step=jnp.int32(3), turn=2))
  np.testing.assert_array_equal(later, mapped)
  other = method.condition(outputs, START.replace(seed=jnp.int32(1)))
  assert np.abs(np.asarray(other) - mapped).max() > 0.01


def test_certain_predictions_weigh_two_and_uniform_ones_less() -> None:
  # exp(-H) is 1 for a certain prediction, 1/3 for a uniform one of three classes.
  outputs = Outputs(jnp.zeros((2, 4)), jnp.array([[99.0, 0, 0], [0, 0, 0]]))
  np.testing.assert_allclose(unbound(CDANE)._weights(outputs), [2.0, 4 / 3], rtol=1e-6)
  assert unbound(CDAN)._weights(outputs) is None


@pytest.mark.parametrize('fields', [{'random_dimension': 8}, {'entropy_conditioning': True}])
def test_extractor_and_head_get_the_reversed_gradient(fields: Any, tmp_path: Path) -> None:
  here = probe(CDAN, tmp_path, at=2, **fields)
  ramp = float(here.context.ramp())
  plain = here.but(weight=-1 / ramp).slope('domain')
  turned = here.but(weight=0.5).slope('domain')
  for group in ('extractor', 'head'):
    share = jax.tree.map(lambda x: -0.5 * ramp * x, plain[group])
    assert_close(turned[group], share)
    assert largest(turned[group]) > 1e-5
  assert_close(turned['domain_classifier'], plain['domain_classifier'])
