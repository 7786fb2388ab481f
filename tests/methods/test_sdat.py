"""SDAT: the two gradients at their two points, and where it is CDAN+E."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.methods.probe import Probe, assert_close, probe, same
from tlda.methods import CDANE, SDAT


def gradients(here: Probe) -> Any:
  def objective(params: Any, batch: Any) -> Any:
    terms = here.but(batch=batch, params=params).terms()
    return sum(terms.values()), (terms, {})

  return jax.jit(lambda: here.method.gradients(objective, here.state.params, here.batch)[0])()


def test_only_the_task_is_taken_at_the_sharp_point(tmp_path: Path) -> None:
  here = probe(SDAT, tmp_path, at=2, rho=0.3)
  task, domain = here.slope('task'), here.slope('domain')
  leaves = [np.asarray(leaf, np.float64) for leaf in jax.tree.leaves(task)]
  norm = np.sqrt(sum((leaf**2).sum() for leaf in leaves))
  sharp = jax.tree.map(lambda w, g: w + (0.3 / norm * g).astype(w.dtype), here.state.params, task)
  there = here.but(params=sharp)
  expected = jax.tree.map(jnp.add, there.slope('task'), domain)
  assert_close(gradients(here), expected, rtol=1e-3, atol=1e-6)


def test_without_a_radius_it_is_cdan_e(tmp_path: Path) -> None:
  here = probe(SDAT, tmp_path, at=2, rho=0.0)
  plain = probe(CDANE, tmp_path / 'plain', at=2)
  assert same(here.state.params, plain.state.params)
  assert_close(here.step()[0].params, plain.step()[0].params, atol=1e-6)


def test_no_task_gradient_moves_nothing(tmp_path: Path) -> None:
  here = probe(SDAT, tmp_path, at=2)
  flat = here.but(params=jax.tree.map(jnp.zeros_like, here.state.params))
  assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients(flat)))
