"""SWAD: what is held out, and over which intervals weights are averaged."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from tests.methods.generalization.by_hand import cross_entropy
from tests.methods.probe import probe
from tests.problem import domain, make_method
from tlda.methods import Context
from tlda.methods.generalization import SWAD

CONVERGED, OVERFIT, TOLERANCE = 3, 2, 1.3


def window(losses: list[float]) -> tuple[int, int] | None:
  """The first and the last interval of algorithm 1, or None before there is one."""
  ends = range(CONVERGED - 1, len(losses))
  begins = [i - CONVERGED + 1 for i in ends]
  start = next((s for s in begins if losses[s] == min(losses[s : s + CONVERGED])), None)
  if start is None:
    return None
  limit = TOLERANCE * np.mean(losses[start : start + CONVERGED])
  for last in range(start + CONVERGED - 1, len(losses) - OVERFIT):
    if limit < min(losses[last + 1 : last + 1 + OVERFIT]):
      return start, last
  fine = [i for i in range(start, len(losses)) if losses[i] <= limit or i < start + CONVERGED]
  return start, fine[-1]


@pytest.mark.parametrize(
  ('losses', 'expected'),
  [
    ([3, 2, 1.5], None),
    ([3, 2, 1.5, 1.6, 1.5], (2, 4)),
    ([3, 2, 1.5, 1.6, 1.5, 1.4, 9, 1.4, 2.1], (2, 7)),  # One is no rise; the last may be.
    ([3, 2, 1.5, 1.6, 1.5, 1.4, 9, 9, 1.4, 1.4], (2, 5)),  # Two are: what follows is late.
    ([3, 4, 3, 1, 1], (0, 4)),
  ],
)
def test_the_mean_goes_over_the_window(losses: list[float], expected: Any) -> None:
  """Weights are 0, 1, 2, ... at the steps, two an interval."""
  assert window(losses) == expected
  domains = [domain(str(seed), seed) for seed in range(3)]
  fields = {'interval': 2, 'converged': CONVERGED, 'overfit': OVERFIT, 'tolerance': TOLERANCE}
  method = make_method(SWAD, *domains, **fields)
  update = jax.jit(method.after_update)
  variables = method.initial_states({'params': np.float32(-5)})
  for step in range(2 * len(losses)):
    known = variables['losses']
    # Of each interval half of the loss's sum comes with each step.
    seen = {'count': known['count'] + 2, 'sum': known['sum'] + losses[step // 2] * 2}
    variables |= {'params': np.float32(step), 'losses': {**known, **seen}}
    variables |= update(variables, Context(np.int32(step), np.int32(0), 100))
  first, last = expected or (len(losses) - 0.5,) * 2
  steps = np.arange(2 * first, 2 * last + 2) if expected else [2 * len(losses) - 1]
  np.testing.assert_allclose(variables['teacher']['params'], np.mean(steps), rtol=1e-6)


def test_a_fifth_is_held_out(tmp_path: Path) -> None:
  here = probe(SWAD, tmp_path, interval=1, converged=1)
  terms, states = here.run()
  outputs, flat = here.outputs()[0], here.batch.source.flat()
  losses = cross_entropy(np.asarray(outputs.logits, np.float64), flat.labels)
  held = np.asarray(flat.index) % 5 == 0
  assert 0 < held.sum() < len(held) / 2
  np.testing.assert_allclose(terms['task'], losses[~held].mean(), rtol=1e-5)
  np.testing.assert_allclose(terms['monitor/held_out'], losses[held].mean(), rtol=1e-5)
  np.testing.assert_allclose(states['losses']['sum'], losses[held].sum(), rtol=1e-5)
