"""Methods of batch normalisation: whose statistics are taken, and that they are exact."""

from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np
import pytest

from tests.methods.probe import Probe, moved, probe
from tests.problem import make_run
from tlda.errors import UserError
from tlda.methods import DSBN, AdaBN, Examples, SourceOnly
from tlda.models import Normalization, backbones
from tlda.training.checkpoint import Checkpoints
from tlda.training.fit import fit


def normalized(here: Probe, examples: Examples) -> np.ndarray:
  """Returns what the batch normalisation of the small extractor is given."""
  layer = here.state.params['extractor']['Dense_0']
  inputs = np.asarray(examples.inputs, np.float64).reshape(len(examples.inputs), -1)
  return inputs @ np.asarray(layer['kernel'], np.float64) + layer['bias']


def statistics(state: Any) -> dict[str, np.ndarray]:
  return state.states['batch_stats']['extractor']['Normalization_0']


class Slow(nn.Module):
  """A dense layer whose batch normalisation moves a hundredth of the way, as EfficientNet's."""

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Returns features `[batch, 12]`."""
    features = nn.Dense(12)(inputs.reshape(len(inputs), -1))
    return Normalization(momentum=0.99)(features, domain=domain, train=train)


@pytest.mark.parametrize('network', [{}, {'extractor': Slow()}], ids=['0.9', '0.99'])
def test_adabn_averages_the_batches_of_the_target_and_moves_no_parameter(
  network: dict[str, nn.Module], tmp_path: Path
) -> None:
  here = probe(AdaBN, tmp_path, **network)
  values = [normalized(here, here.batch_of(t).target) for t in range(3)]
  for count in (1, 2, 3):
    state = here.train(count)
    assert not moved(here.state.params, state.params)
    expected = {
      'mean': np.mean([x.mean(axis=0) for x in values[:count]], axis=0),
      'var': np.mean([x.var(axis=0) for x in values[:count]], axis=0),
    }
    for name, found in statistics(state).items():
      np.testing.assert_allclose(found, expected[name], rtol=1e-4, atol=1e-5)


def test_adabn_keeps_the_weights_of_its_first_stage(tmp_path: Path) -> None:
  fit(make_run(SourceOnly, tmp_path / 'first'))
  fit(make_run(AdaBN, tmp_path / 'second', initial=tmp_path / 'first'))
  first, second = (
    Checkpoints(tmp_path / name / 'checkpoints').latest()[1] for name in ('first', 'second')
  )
  for name in filter(lambda name: name.startswith('params.'), first):
    np.testing.assert_array_equal(second[name], first[name], err_msg=name)
  changed = [name for name in first if 'batch_stats' in name]
  assert changed
  assert not any(np.allclose(second[name], first[name]) for name in changed)


def test_adabn_refuses_a_network_without_batch_normalisation(tmp_path: Path) -> None:
  plain = backbones.network('mlp', classes=3).extractor
  with pytest.raises(UserError, match='this network has none: take another --backbone'):
    probe(AdaBN, tmp_path, extractor=plain)


def test_dsbn_keeps_the_statistics_of_each_domain_apart(tmp_path: Path) -> None:
  here = probe(DSBN, tmp_path)
  after = statistics(here.train())
  for branch, part in enumerate(here.batch.parts()):
    values = normalized(here, part)
    np.testing.assert_allclose(after['mean'][branch], 0.1 * values.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(after['var'][branch], 0.9 + 0.1 * values.var(0), rtol=1e-4)


def test_dsbn_learns_the_task_by_the_branch_of_the_source_alone(tmp_path: Path) -> None:
  here = probe(DSBN, tmp_path)
  branches = here.slope('task')['extractor']['Normalization_0']
  for gradient in branches.values():
    assert np.abs(gradient[0]).max() > 1e-4
    np.testing.assert_array_equal(gradient[1], 0)
  aligned = here.but(at=4).slope('domain')['extractor']['Normalization_0']
  assert np.abs(aligned['scale'][1]).max() > 1e-5
