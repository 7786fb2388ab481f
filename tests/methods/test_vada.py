"""VADA: which gradients its terms give, and its bad input."""

from pathlib import Path

import jax
import numpy as np

from tests.methods.probe import assert_close, largest, probe
from tlda.methods import VADA


def test_terms_add_up_from_their_parts(tmp_path: Path) -> None:
  """Entropy and the exchanged domain loss against float64 NumPy on the network's outputs."""
  here = probe(VADA, tmp_path, at=2, weight=0.5, target_weight=0.25)
  source, target = here.outputs()
  terms = here.terms()
  p = np.exp(np.asarray(target.logits, np.float64))
  p /= p.sum(1, keepdims=True)
  np.testing.assert_allclose(terms['entropy'], -0.25 * (p * np.log(p)).sum(1).mean(), rtol=1e-5)
  says = lambda outputs: np.asarray(here.apply('domain_logits', outputs), np.float64)
  # The target is called source, the source target.
  flipped = (np.log1p(np.exp(-says(target))).mean() + np.log1p(np.exp(says(source))).mean()) / 2
  np.testing.assert_allclose(terms['domain'], 0.5 * flipped, rtol=1e-5)
  assert terms['target_smoothness'] > 0


def test_without_weights_it_is_the_source_alone(tmp_path: Path) -> None:
  here = probe(VADA, tmp_path, at=2, weight=0.0, source_weight=0.0, target_weight=0.0)
  whole = jax.grad(lambda params: sum(here.but(params=params).terms().values()))(here.state.params)
  task = jax.grad(lambda params: here.but(params=params).terms()['task'])(here.state.params)
  assert_close(whole, task)
  assert largest(task) > 1e-3
