"""DIRT-T: who teaches when, and what is minimised."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests.methods.probe import probe, same
from tests.problem import domain, make_method
from tlda.methods import DIRTT, Context


def unbound(**fields: Any) -> DIRTT:
  return make_method(DIRTT, domain('left', 1), domain('right', 2), **fields)


@pytest.mark.parametrize(('step', 'renewed'), [(0, False), (1, True), (2, False), (3, True)])
def test_two_teachers_in_four_steps(step: int, renewed: bool, tmp_path: Path) -> None:
  """The second is the network after two of four steps; a third would begin after the last."""
  variables: dict[str, Any] = {
    'params': {'extractor': {'w': np.ones(2)}, 'head': {'w': np.full(2, 3.0)}},
    'teacher': {'extractor': {'w': np.zeros(2)}, 'head': {'w': np.zeros(2)}},
  }
  method = unbound(teachers=2)
  context = Context(np.int32(step), np.int32(0), 4)
  taken = method.after_update(variables, context)['teacher']
  assert same(taken, variables['params'] if renewed else variables['teacher'])


def test_the_first_teacher_agrees_and_holds_back(tmp_path: Path) -> None:
  """Where student and teacher are one, their divergence is 0 and has no slope."""
  here = probe(DIRTT, tmp_path, at=2, teacher_weight=1.0)
  terms = here.terms()
  np.testing.assert_allclose(terms['teacher'], 0.0, atol=1e-6)
  assert all(np.abs(leaf).max() < 1e-5 for leaf in jax.tree.leaves(here.slope('teacher')))
  params = jax.tree.map(lambda w: w + 0.1, here.state.params)
  assert here.but(params=params).terms()['teacher'] > 1e-5
