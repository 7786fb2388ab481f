"""Several tasks: which head says what, and their weighted sum, in float64 NumPy."""

from pathlib import Path

import numpy as np
import pytest

from tests.methods.probe import Probe, largest, probe, same, softmax
from tests.problem import BATCH
from tlda.methods import MultiTask

HEADS = ('source_heads_0', 'source_heads_1', 'head')


def logits(here: Probe, features: np.ndarray, task: int) -> np.ndarray:
  """Returns what the head of a task says."""
  head = here.state.params[HEADS[task]]['logits']
  return np.asarray(features, np.float64) @ np.asarray(head['kernel'], np.float64) + head['bias']


def losses(here: Probe) -> list[float]:
  """Returns the mean loss of each task, by the head that is its own."""
  source, target = here.outputs()
  features = np.concatenate([source.features, target.features]).reshape(3, BATCH, -1)
  labels = np.concatenate([here.batch.source.labels, here.batch.target.labels[None]])
  own = []
  for task in range(3):
    chances = softmax(logits(here, features[task], task))
    own.append(-np.log(chances[np.arange(BATCH), labels[task]]).mean())
  return own


def test_each_domain_is_a_task_with_a_head_of_its_own(tmp_path: Path) -> None:
  here = probe(MultiTask, tmp_path, sources=2)
  assert not same(here.state.params['source_heads_0'], here.state.params['source_heads_1'])
  terms = here.terms()
  assert list(terms) == ['task_0', 'task_1', 'task_2']
  np.testing.assert_allclose(list(terms.values()), losses(here), rtol=1e-5)
  for task, name in enumerate(terms):
    slopes = here.slope(name)
    taught = {head for head in HEADS if largest(slopes[head])}
    assert taught == {HEADS[task]} and largest(slopes['extractor'])


def test_tasks_are_weighted_by_their_uncertainty(tmp_path: Path) -> None:
  here = probe(MultiTask, tmp_path, sources=2, uncertainty=True)
  plain = losses(here)
  np.testing.assert_array_equal(here.state.params['log_variances'], 0)
  uncertain = np.array([0.5, -1.0, 2.0], np.float32)
  here = here.but(params={**here.state.params, 'log_variances': uncertain})
  terms = here.terms()
  for task, (loss, weight) in enumerate(zip(plain, np.exp(-uncertain), strict=True)):
    np.testing.assert_allclose(terms[f'task_{task}'], weight * loss, rtol=1e-5)
    np.testing.assert_allclose(terms[f'monitor/weight_{task}'], weight, rtol=1e-6)
  np.testing.assert_allclose(terms['log_variance'], 0.75, rtol=1e-6)
  # The sum is least where the variance is twice the loss: exp(-s) loss = 1/2.
  names = [name for name in terms if not name.startswith('monitor/')]
  best = np.log(2 * np.array(plain)).astype(np.float32)
  here = here.but(params={**here.state.params, 'log_variances': best})
  slope = sum(np.asarray(here.slope(name)['log_variances']) for name in names)
  np.testing.assert_allclose(slope, 0, atol=1e-6)


@pytest.mark.parametrize('asked', [0, 1, 2, 'mixed'])
def test_an_example_is_predicted_by_the_head_of_the_domain_asked_for(
  asked: int | str, tmp_path: Path
) -> None:
  here = probe(MultiTask, tmp_path, sources=2)
  domain = np.arange(BATCH) % 3 if asked == 'mixed' else asked
  found = here.apply('__call__', here.batch.target.inputs, domain)
  every = np.stack([logits(here, found.features, task) for task in range(3)])
  expected = every[np.broadcast_to(domain, BATCH), np.arange(BATCH)]
  np.testing.assert_allclose(found.logits, expected, rtol=1e-4, atol=1e-5)
