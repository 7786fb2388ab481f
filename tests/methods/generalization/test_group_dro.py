"""GroupDRO: the weights follow the worst source, by the exponentiated update."""

import dataclasses
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from tests.methods.generalization.by_hand import risks
from tests.methods.probe import probe
from tlda.methods.generalization import GroupDRO


def test_the_exponentiated_update_by_hand(tmp_path: Path) -> None:
  before = np.array([0.8, 0.2])
  here = probe(GroupDRO, tmp_path, sources=2, rate=2.0)
  here = here.but(weights={'logarithms': jnp.log(jnp.asarray(before))})
  terms, states = here.run()
  expected = before * np.exp(2.0 * risks(here))
  expected /= expected.sum()
  np.testing.assert_allclose(np.exp(states['weights']['logarithms']), expected, rtol=1e-5)
  np.testing.assert_allclose(terms['task'], (expected * risks(here)).sum(), rtol=1e-5)


def test_weights_follow_the_worst_source(tmp_path: Path) -> None:
  here = probe(GroupDRO, tmp_path, sources=2, rate=1.0)
  np.testing.assert_allclose(np.exp(here.state.states['weights']['logarithms']), 0.5, rtol=1e-6)
  # Labels of the second source that turn round at each step: nobody can learn these.
  source, shares = here.batch.source, []
  for turn in range(3):
    wrong = source.labels.at[1].set((source.labels[1] + turn) % 3)
    batch = here.batch.replace(source=source.replace(labels=wrong))
    here = dataclasses.replace(here, batch=batch)
    here = dataclasses.replace(here, state=here.step()[0])
    worst = int(np.argmax(risks(here)))
    shares.append(float(np.exp(here.state.states['weights']['logarithms'])[worst]))
  assert worst == 1
  assert shares[-1] > 0.5
