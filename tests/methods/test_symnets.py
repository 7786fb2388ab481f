"""SymNets: the paper's sums over both heads' probabilities, in float64 NumPy; who moves when."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from tests.methods.probe import largest, probe, same
from tlda.methods import Phase, SymNets


def probabilities(here: Any) -> tuple[np.ndarray, np.ndarray]:
  """Softmax over both heads' logits: `[batch, 2 classes]` of source and of target."""
  pairs = here.apply('_pairs', here.batch)
  both = [np.exp(np.concatenate(pair, axis=1).astype(np.float64)) for pair in pairs]
  return tuple(x / x.sum(1, keepdims=True) for x in both)


def test_terms_are_the_papers(tmp_path: Path) -> None:
  here = probe(SymNets, tmp_path, at=2)
  source, target = probabilities(here)
  classes = here.method.spec.classes
  rows, y = np.arange(len(source)), np.asarray(here.batch.source.labels)
  half = lambda p: (p[:, :classes], p[:, classes:])
  own = [-np.log(p[rows, y] / p.sum(1)).mean() for p in half(source)]
  domain = -np.log(half(source)[0].sum(1)).mean() - np.log(half(target)[1].sum(1)).mean()
  heads = here.terms('heads')
  expected = {'source_task': own[0], 'target_task': own[1], 'domain': domain}
  for name, value in expected.items():
    np.testing.assert_allclose(heads[name], value, rtol=1e-5, err_msg=name)
  summed, ramp = sum(half(target)), float(here.context.ramp())
  expected = {
    'category': -sum(np.log(p[rows, y]).mean() for p in half(source)) / 2,
    'domain': -ramp * sum(np.log(p.sum(1)).mean() for p in half(target)) / 2,
    'entropy': -ramp * (summed * np.log(summed)).sum(1).mean(),
  }
  for name, value in here.terms().items():
    np.testing.assert_allclose(value, expected[name], rtol=1e-5, err_msg=name)


class Heads(SymNets):
  """The heads' phase only."""

  def phases(self) -> tuple[Phase, ...]:
    return super().phases()[:1]


def test_heads_begin_apart_and_move_without_the_extractor(tmp_path: Path) -> None:
  here = probe(Heads, tmp_path, at=2)
  assert not same(here.state.params['head'], here.state.params['source_head'])
  after, _ = here.step()
  assert same(after.params['extractor'], here.state.params['extractor'])
  assert same(after.states, here.state.states)
  for group in ('head', 'source_head'):
    assert largest(jax.tree.map(np.subtract, after.params[group], here.state.params[group])) > 1e-5


def test_huge_logits_leave_terms_and_slopes_finite(tmp_path: Path) -> None:
  here = probe(SymNets, tmp_path, at=2)
  huge = jax.tree.map(lambda w: 1e4 * w, here.state.params)
  here = here.but(params=huge)
  for name, term in {**here.terms(), **here.terms('heads')}.items():
    assert np.isfinite(term), name
  assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(here.slope('entropy')))
