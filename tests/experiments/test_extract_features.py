"""Features of a domain, written to a file that is a domain."""

from pathlib import Path

import jax
import numpy as np
import pytest

from experiments import extract_features, saved
from tests.experiments import trained
from tests.problem import domain, make_method
from tlda import data
from tlda.methods import DSBN, MeanTeacher, Method
from tlda.methods.initialization import prediction_variables
from tlda.training.inputs import Preprocessing

DOMAIN = ['--domain=sklearn_digits', '--image_size=16']


def extract(*words: str) -> int:
  return extract_features.main(['extract', *DOMAIN, f'--run={trained.folder()}', *words])


def test_features_of_a_run_are_a_domain(tmp_path: Path) -> None:
  out = tmp_path / 'features.npz'
  assert extract(f'--out={out}') == 0
  made, plain = data.load(f'npz:{out}'), data.load('sklearn_digits', image_size=16)
  for split, other in ((made.train, plain.train), (made.test, plain.test)):
    np.testing.assert_array_equal(split.labels, other.labels)
    wanted = saved.load(trained.folder()).outputs(other.inputs)[0].features
    np.testing.assert_allclose(split.inputs, wanted, rtol=1e-4, atol=1e-5)
  assert made.classes == plain.classes
  assert list(tmp_path.iterdir()) == [out]


def test_layers_are_pooled_and_put_side_by_side(tmp_path: Path) -> None:
  out = tmp_path / 'both.npz'
  assert extract(f'--out={out}', '--layers=stage1,features') == 0
  assert data.load(f'npz:{out}').train.inputs.shape[1] == 20 + 500


def test_principal_components_are_those_of_the_training_features(tmp_path: Path) -> None:
  plain, projected = tmp_path / 'plain.npz', tmp_path / 'pca.npz'
  assert extract(f'--out={plain}') == 0
  assert extract(f'--out={projected}', '--pca=3') == 0
  whole, part = (data.load(f'npz:{path}').train.inputs for path in (plain, projected))
  centred = whole.astype(np.float64) - whole.mean(0, dtype=np.float64)
  spread = np.linalg.svd(centred, compute_uv=False)[:3] ** 2 / (len(whole) - 1)
  np.testing.assert_allclose(part.var(0, ddof=1), spread, rtol=1e-3)


def test_it_goes_on_where_it_was_stopped(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  whole, cut = tmp_path / 'whole.npz', tmp_path / 'cut.npz'
  assert extract(f'--out={whole}') == 0
  save, left = np.save, [3]

  def stop(path: Path, array: np.ndarray) -> None:
    left[0] -= 1
    if left[0] < 0:
      raise KeyboardInterrupt
    save(path, array)

  monkeypatch.setattr(np, 'save', stop)
  assert extract(f'--out={cut}') == 130
  kept = sorted((tmp_path / 'cut.npz.parts' / 'train').glob('[0-9]*.npy'))
  assert len(kept) == 3
  times = [path.stat().st_mtime_ns for path in kept]
  assert extract(f'--out={cut}', '--layers=stage1') == 2
  assert 'unfinished features of other flags' in capsys.readouterr().err
  monkeypatch.setattr(np, 'save', save)
  assert [path.stat().st_mtime_ns for path in kept] == times
  assert extract(f'--out={cut}') == 0
  first, second = (data.load(f'npz:{path}') for path in (whole, cut))
  assert first.train.sha256 == second.train.sha256


@pytest.mark.parametrize('method', [DSBN, MeanTeacher])
@pytest.mark.parametrize(('name', 'branch'), [('left', 0), ('right', 1), ('other', 1)])
def test_features_are_those_that_a_run_predicts_by(
  method: type[Method], name: str, branch: int
) -> None:
  """By the branch of normalisation of the domain, and by the weights of a teacher that predicts."""
  made = make_method(method, domain('left', 1), domain('right', 2))
  variables = prediction_variables(made)
  keys = iter(jax.random.split(jax.random.key(0), 99))
  drawn = jax.tree.map(lambda x: jax.random.uniform(next(keys), x.shape) + 0.5, variables)
  run = saved.Saved(made, Preprocessing((0.4,)), ('a', 'b', 'c'), (drawn,), (0,), {})
  images = domain('left', 1).test.inputs
  found, _ = extract_features._trained(run, name)(images)
  wanted = made.apply(drawn, run.preprocessing(images), branch).features
  np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_features_of_nobody_knows_what_are_refused(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  parts = tmp_path / 'x.npz.parts'
  parts.mkdir()
  (parts / 'of.json').write_text('{"doma')
  assert extract(f'--out={tmp_path}/x.npz') == 2
  assert 'unfinished features of other flags or data: remove it first' in capsys.readouterr().err


def test_mistakes_leave_with_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
  there = tmp_path / 'there.npz'
  there.write_bytes(b'mine')
  other = tmp_path / 'other.npz'
  for words, sentence in (
    ([], '--out=FILE.npz'),
    ([f'--out={other}', '--domain=mnist_photo'], 'has inputs of (16, 16, 3), and the run was'),
    ([f'--out={there}'], 'is there already'),
    (['--out=/dev/null/x.npz'], '/dev/null/x.npz cannot be written (Not a directory)'),
    ([f'--out={other}', '--layers=stage9'], "unknown layer 'stage9'"),
    ([f'--out={tmp_path / "x.npz"}', '--pca=5000'], '--pca=5000 must be from 1 to'),
  ):
    assert extract(*words) == 2
    assert sentence in capsys.readouterr().err
  assert list(tmp_path.iterdir()) == [there]  # The next command is not refused.
  assert there.read_bytes() == b'mine'
  untrained = ['extract', *DOMAIN, f'--out={tmp_path / "y.npz"}', '--backbone=lenet', '--weights=']
  assert extract_features.main(untrained) == 2
  assert 'never trained' in capsys.readouterr().err
