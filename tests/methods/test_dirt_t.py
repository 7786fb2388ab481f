"""DIRT-T: who teaches when, and what is minimised."""

from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np
import pytest

from tests.methods.probe import probe, same
from tests.problem import domain, make_method
from tlda.methods import DIRTT, Context
from tlda.methods.dirt_t import _taught


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


class Dropping(nn.Module):
  """A dense extractor that drops half of its features in training."""

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Returns features `[batch, 12]`."""
    del domain
    features = nn.Dense(12)(inputs.reshape(len(inputs), -1))
    return nn.Dropout(0.5, deterministic=not train)(features)


def test_the_teacher_drops_nothing(tmp_path: Path) -> None:
  here = probe(DIRTT, tmp_path, at=2, teacher_weight=1.0, extractor=Dropping())
  inputs, domain = here.batch.target.inputs, here.batch.target.domain
  plain = here.apply('forward', inputs, domain, train=False).logits
  for turn in (0, 1):
    rngs = {'dropout': here.context.replace(turn=turn).key('dropout')}
    taught = here.apply(_taught, inputs, domain, rngs=rngs)
    np.testing.assert_allclose(taught, plain, rtol=1e-5, atol=1e-6)


def test_the_first_teacher_agrees_and_holds_back(tmp_path: Path) -> None:
  """Where student and teacher are one, their divergence is 0 and has no slope."""
  here = probe(DIRTT, tmp_path, at=2, teacher_weight=1.0)
  terms = here.terms()
  np.testing.assert_allclose(terms['teacher'], 0.0, atol=1e-6)
  assert all(np.abs(leaf).max() < 1e-5 for leaf in jax.tree.leaves(here.slope('teacher')))
  params = jax.tree.map(lambda w: w + 0.1, here.state.params)
  assert here.but(params=params).terms()['teacher'] > 1e-5
