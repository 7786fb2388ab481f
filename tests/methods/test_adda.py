"""ADDA: what stays, what moves, and where the frozen encoder comes from."""

from pathlib import Path

import jax
import numpy as np

from tests.methods.probe import largest, probe, same
from tests.problem import BATCH, make_run
from tlda.methods import ADDA, SourceOnly
from tlda.training.fit import Trainer, fit
from tlda.training.parallel import Parallel


def test_head_and_source_encoder_stay_bit_for_bit(tmp_path: Path) -> None:
  here = probe(ADDA, tmp_path, at=2)
  after, _ = here.step()
  assert same(after.params['head'], here.state.params['head'])
  assert same(after.states['source_encoder'], here.state.params['extractor'])
  moved = lambda group: jax.tree.map(np.subtract, after.params[group], here.state.params[group])
  assert largest(moved('extractor')) > 1e-5
  assert largest(moved('domain_classifier')) > 1e-5


def test_the_target_encoder_goes_where_the_source_is(tmp_path: Path) -> None:
  """By hand: -log sigmoid(z) = log(1 + exp(-z)); a step along its gradient raises the logits."""
  here = probe(ADDA, tmp_path, at=2)
  params, batch = here.state.params, here.batch.target

  def says(params: dict) -> np.ndarray:
    says = lambda method: method.domain_logits(method.forward(batch.inputs, 2, train=True))
    return np.asarray(here.but(params=params).apply(says))

  before = says(params)
  expected = np.log1p(np.exp(-before.astype(np.float64))).mean()
  np.testing.assert_allclose(here.terms()['mapping'], expected, rtol=1e-5)
  slope = here.slope('mapping')
  moved = jax.tree.map(lambda w, g: w - 0.01 * g, params['extractor'], slope['extractor'])
  assert says({**params, 'extractor': moved}).mean() > before.mean()


def test_the_source_encoder_is_that_of_the_first_stage(tmp_path: Path) -> None:
  fit(make_run(SourceOnly, tmp_path / 'first', steps=2))
  run = make_run(ADDA, tmp_path / 'adda', steps=2, initial=tmp_path / 'first')
  trainer = Trainer(run, Parallel('pmap', BATCH, jax.devices()[:1]))
  (state,) = trainer._created()
  assert same(state.states['source_encoder']['params'], state.params['extractor'])
  fresh = Trainer(make_run(ADDA, tmp_path / 'fresh', steps=2))._created()[0]
  assert not same(state.params['extractor'], fresh.params['extractor'])
