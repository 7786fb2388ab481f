"""What a finished run says of its probabilities, and of where it looks."""

import dataclasses
import json
from pathlib import Path

import flax.linen as nn
import jax
import numpy as np
import pytest

from tests.problem import make_run
from tlda import report
from tlda.methods import SourceOnly
from tlda.training import apart, explained
from tlda.training.fit import fit


def test_calibration_by_hand() -> None:
  """Two seeds, two classes; temperatures are those of the source, used on the target too."""
  # Sources right three times of four: the logit 2 log 3 is to be halved, the logit log 3 is right.
  sure = np.array([2 * np.log(3), np.log(3)])
  row = np.stack([sure, np.zeros(2)], axis=-1)[:, None]
  logits = {'source': np.repeat(row, 4, 1), 'target': np.repeat(row, 2, 1)}
  labels = {'source': np.array([0, 0, 0, 1]), 'target': np.array([0, 1])}
  found = explained.calibrate(logits, labels)
  np.testing.assert_allclose(found['temperature'], [2, 1], rtol=1e-6)
  # Confidence is .9 and .75, accuracy .75 on the source and .5 on the target.
  source, target = found['source_test'], found['target_test']
  np.testing.assert_allclose(source['before']['error'], [0.15, 0], atol=1e-6)
  np.testing.assert_allclose(source['after']['error'], [0, 0], atol=1e-6)
  np.testing.assert_allclose(target['before']['error'], [0.4, 0.25], atol=1e-6)
  np.testing.assert_allclose(target['after']['error'], [0.25, 0.25], atol=1e-6)
  likelihood = -(np.log(0.75) + np.log(0.25)) / 2
  np.testing.assert_allclose(target['after']['negative_log_likelihood'], [likelihood] * 2)
  assert sum(target['before']['reliability']['counts']) == 2 * 2
  assert target['examples'] == 2
  json.dumps(found)


class _Convolution(nn.Module):
  """A network of one stage, with 4 x 4 places."""

  @nn.compact
  def __call__(
    self, inputs: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    x = nn.relu(nn.Conv(8, (3, 3), (2, 2))(inputs))
    self.sow('intermediates', 'stage1', x)
    return x.reshape(len(x), -1)


@pytest.mark.parametrize('images', [True, False])
def test_a_run_keeps_what_the_page_shows(tmp_path: Path, images: bool) -> None:
  """Of a network with stages there are maps; of one of vectors there are none."""
  fields = {'extractor': _Convolution()} if images else {}
  result = fit(make_run(SourceOnly, tmp_path, seeds=(0, 1), images=images, **fields))
  assert len(result['calibration']['temperature']) == 2
  assert result['calibration']['target_test']['examples'] == 21
  with np.load(tmp_path / 'report' / 'samples.npz') as samples:
    if not images:
      assert not [name for name in samples if 'maps' in name]
      return
    shown = samples['target_shown']
    maps = samples['target_maps']
    right = samples['target_predicted'] == samples['target_labels'][shown]
    assert maps.shape == (len(shown), 4, 4)
    assert (maps.dtype, maps.max()) == (np.uint8, 255)
    assert sorted(right, reverse=True) == right.tolist()
    assert len(set(shown.tolist())) == len(shown) <= 2 * explained.SHOWN
  accuracy = result['accuracy']['target_test'][0]
  assert right.sum() == min(explained.SHOWN, round(21 * accuracy))


def test_what_cannot_be_explained_is_said_and_the_result_is_kept(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  written = []

  def fails(*_: object) -> None:
    written.append((tmp_path / 'result.json').exists())
    raise RuntimeError('out of memory')

  monkeypatch.setattr(explained, 'calibrate', fails)
  monkeypatch.setattr(explained, 'heat_maps', fails)
  for name in ('distances', 'discrepancies', 'transports', 'joint_errors'):
    monkeypatch.setattr(apart, name, fails)
  found = fit(make_run(SourceOnly, tmp_path, extractor=_Convolution()))
  assert written == [True] * 6
  assert found == json.loads((tmp_path / 'result.json').read_text())
  failed = ('calibration', 'proxy_a_distance', 'maximum_mean_discrepancy', 'sliced_wasserstein')
  assert all(found[name] == {} for name in (*failed, 'joint_error', 'error_bound'))
  assert len(found['accuracy']['target_test']) == 1
  said = capsys.readouterr().out
  assert 'left out: calibration (RuntimeError: out of memory)' in said
  assert 'left out: heat maps' in said
  report.write([tmp_path], tmp_path / 'index.html')


def test_a_target_that_is_the_source_is_not_fitted_on_what_is_measured(tmp_path: Path) -> None:
  run = make_run(SourceOnly, tmp_path)
  run = dataclasses.replace(run, target=run.sources[0])
  result = fit(run)
  assert 'error_bound' not in result
  calibration = result['calibration']
  examples = [calibration[f'{name}_test']['examples'] for name in ('source', 'target')]
  assert examples == [11, 10]  # Of the 21 test examples.


def test_several_sources_are_sampled_in_equal_shares(tmp_path: Path) -> None:
  run = make_run(SourceOnly, tmp_path, sources=2)
  terms = fit(run)['error_bound']
  with np.load(tmp_path / 'report' / 'samples.npz') as samples:
    shown = samples['source_images']
  assert len(shown) == 40
  for place, source in enumerate(run.sources):
    own = {image.tobytes() for image in source.test.inputs}
    assert all(image.tobytes() in own for image in shown[place::2])
  result = json.loads((tmp_path / 'result.json').read_text())
  # All of both test splits, which are as long as each other.
  assert terms['source_error'] == pytest.approx(1 - result['accuracy']['source_test'][0], abs=1e-6)


def test_no_temperature_is_fitted_on_what_was_learned(tmp_path: Path) -> None:
  run = make_run(SourceOnly, tmp_path)
  (source,) = run.sources
  run = dataclasses.replace(run, sources=(dataclasses.replace(source, test=source.train),))
  assert fit(run)['calibration'] == {}
  report.write([tmp_path], tmp_path / 'index.html')


def test_the_bound_of_the_target_error_by_hand() -> None:
  """The first of two seeds is wrong on one of two source examples and on three of four others."""
  right = np.array([[[1.0, 0.0]] * 2, [[0.0, 1.0]] * 2])
  logits = {'source': right, 'target': right.repeat(2, axis=1)}
  labels = {'source': np.array([0, 1]), 'target': np.array([0, 1, 1, 1])}
  found = apart.bound(logits, labels, {'before': 9.0, 'after': 0.5}, {'before': 9.0, 'after': 0.1})
  assert found == {
    'source_error': 0.5,
    'divergence': 0.25,
    'joint_error': 0.1,
    'bound': pytest.approx(0.85),
    'target_error': 0.75,
  }


def test_a_run_measures_its_domains_before_and_after(tmp_path: Path) -> None:
  fit(make_run(SourceOnly, tmp_path))
  found = json.loads((tmp_path / 'result.json').read_text())
  for name in ('proxy_a_distance', 'maximum_mean_discrepancy', 'sliced_wasserstein', 'joint_error'):
    assert set(found[name]) == {'before', 'after'}
    assert found[name]['before'] != found[name]['after']
  terms = found['error_bound']
  assert terms['target_error'] == pytest.approx(1 - found['accuracy']['target_test'][0], abs=1e-6)
  assert terms['divergence'] == found['proxy_a_distance']['after'] / 2
  report.write([tmp_path], tmp_path / 'index.html')
  assert '>Distance between the domains<' in (tmp_path / 'index.html').read_text()
