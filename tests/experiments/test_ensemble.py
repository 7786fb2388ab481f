"""What finished runs say together, and which of them have a mean of their weights."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from experiments import common, ensemble, saved, soups
from tests.experiments import trained
from tlda import data
from tlda.errors import UserError


def run(*words: str) -> dict[str, Any]:
  found = ensemble.ensemble(['ensemble', *words])
  assert found is not None
  return found


def test_the_seeds_of_a_run_are_an_ensemble(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  found = run(f'--runs={trained.folder()}', f'--workdir={tmp_path}')
  result = json.loads((Path(trained.folder()) / 'result.json').read_text())
  alone = [member['accuracy'] for member in found['members']]
  np.testing.assert_allclose(alone, result['accuracy']['target_test'], atol=1e-6)
  test = data.load('sklearn_digits', image_size=16).test
  logits = [np.asarray(x.logits, float) for x in saved.load(trained.folder()).outputs(test.inputs)]
  shares = np.mean([np.exp(x) / np.exp(x).sum(-1, keepdims=True) for x in logits], axis=0)
  wanted = (shares.argmax(-1) == test.labels).mean()
  assert found['ensemble']['accuracy'] == pytest.approx(wanted)
  assert found == json.loads((tmp_path / 'ensemble.json').read_text())
  assert 'ensemble (mean of probabilities)' in capsys.readouterr().out


def test_a_soup_of_a_run_and_itself_is_the_run(tmp_path: Path) -> None:
  copy = shutil.copytree(trained.folder(), tmp_path / 'copy')
  found = run(f'--runs={trained.folder()},{copy}', '--soup', f'--workdir={tmp_path}')
  alone = [member['accuracy'] for member in found['members']]
  np.testing.assert_allclose(found['soup']['uniform'], alone[:2], atol=2e-3)
  assert 'greedy' not in found['soup']  # No target label was read, and none may choose.


def test_weights_of_other_shapes_have_no_mean() -> None:
  first = saved.load(trained.folder())
  wider = tuple(jax.tree.map(lambda x: np.repeat(x, 2, 0), own) for own in first.variables)
  with pytest.raises(UserError, match='no soup of a and b: their weights have other shapes'):
    soups.check(['a', 'b'], [first, dataclasses.replace(first, variables=wider)])
  assert soups.check(['a', 'b'], [first, first]) == [0, 1]


@pytest.mark.parametrize(
  ('words', 'sentence'),
  [
    ([], 'say which runs are the members'),
    (['--runs=nowhere'], 'not the folder of a finished run'),
    (['--runs=RUN', '--soup'], 'a soup is the mean of several runs'),
    (['--runs=RUN', '--combine=votes'], "unknown combination 'votes'"),
  ],
)
def test_mistakes_leave_with_code_2(
  words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
  words = [word.replace('RUN', trained.folder()) for word in words]
  assert common.guarded(lambda: ensemble.ensemble(['ensemble', *words])) == 2
  assert sentence in capsys.readouterr().err


def test_a_file_of_other_runs_stays(tmp_path: Path) -> None:
  place = tmp_path / 'ensemble.json'
  for text, sentence in (
    ('{"members": [{"run": "a"}, {"run": "a"}], "ensemble": {}}', r'of other runs \(a\)'),
    ('{"members": 3}', 'is there already, and not of this command'),
  ):
    place.write_text(text)
    with pytest.raises(UserError, match=sentence):
      run('--runs=b', f'--workdir={tmp_path}')
    assert place.read_text() == text
