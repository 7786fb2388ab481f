"""The ramp, and what a pseudo-label moves."""

from pathlib import Path

import jax
import numpy as np
import pytest

from tests.methods.probe import probe
from tests.problem import make_run
from tlda.errors import UserError
from tlda.methods import Context, PseudoLabel
from tlda.training.fit import Trainer


@pytest.mark.parametrize(('at', 'expected'), [(0, 0), (10, 0), (35, 1.5), (60, 3), (100, 3)])
def test_the_ramp_goes_up_from_a_tenth_to_six_tenths(
  at: int, expected: float, tmp_path: Path
) -> None:
  method = make_run(PseudoLabel, tmp_path).method
  alpha = method.alpha(Context(np.int32(at), np.int32(0), 100))
  np.testing.assert_allclose(alpha, expected, rtol=1e-6, atol=1e-6)


def test_the_own_class_is_learned_with_the_weight_of_the_step(tmp_path: Path) -> None:
  here = probe(PseudoLabel, tmp_path, at=2)
  inputs = np.concatenate([here.batch.source.inputs, here.batch.target.inputs])
  logits = np.asarray(here.forward(inputs, 0).logits, np.float64)[16:]
  own = np.log(np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1))
  terms = here.terms()
  # Half of the training: four fifths of the ramp.
  np.testing.assert_allclose(terms['pseudo_label'], 0.8 * 3.0 * own.mean(), rtol=1e-5)


def test_before_the_ramp_the_target_moves_nothing(tmp_path: Path) -> None:
  here = probe(PseudoLabel, tmp_path, at=0)
  loss = lambda params: here.but(params=params).terms()['pseudo_label']
  assert not any(leaf.any() for leaf in jax.tree.leaves(jax.grad(loss)(here.state.params)))


def test_a_ramp_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
  with pytest.raises(UserError, match='from 0.6 to 0.6'):
    Trainer(make_run(PseudoLabel, tmp_path, begin=0.6))
