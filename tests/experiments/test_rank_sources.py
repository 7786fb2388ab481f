"""Which source model: scores of finished runs, and how they agree with fine-tuning."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from experiments import common, digits, rank_sources, saved
from tests.experiments import trained
from tlda import data
from tlda.evaluation import transferability


def test_runs_are_scored_on_the_target_and_compared_with_fine_tuning(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  folders = [str(tmp_path / name) for name in ('source', 'target')]
  shutil.copytree(trained.folder(), folders[0])
  words = trained.FLAGS.replace('--source=mnist_mini', '--source=sklearn_digits').split()
  common.launch(digits.EXPERIMENT, ['digits', *words, f'--workdir={folders[1]}'])
  out = tmp_path / 'ranking.json'
  words = [f'--runs={",".join(folders)}', '--labels_per_class=20', '--steps=20', '--seeds=1']
  assert rank_sources.main(['rank', '--target=sklearn_digits', *words, f'--out={out}']) == 0
  said = capsys.readouterr().out
  found = json.loads(out.read_text())
  first, second = found['rows']
  # A network that was trained on the target itself is the better start, by every score.
  for name in ('log_me', 'leep', 'nce', 'knn_accuracy', 'accuracy'):
    assert first[name] < second[name], name
  assert found['agreement']['log_me'] == 1.0
  assert all(name in said for name in transferability.names())
  run = saved.load(folders[0])
  train = data.draw(data.load('sklearn_digits', image_size=16).train, 20, 10)
  outputs = run.outputs(train.inputs)[0]
  logits = np.asarray(outputs.logits, np.float64)
  shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
  wanted = transferability.measure(train.labels, np.asarray(outputs.features), shares)
  for name, value in wanted.items():
    assert first[name] == pytest.approx(value, rel=1e-4), name


@pytest.mark.parametrize(
  ('words', 'sentence'),
  [
    (['--target=usps'], 'say which runs'),
    (['--runs=nowhere'], 'not the folder of a finished run'),
    (['--runs=RUN', '--target=nowhere'], "unknown domain 'nowhere'"),
    (['--runs=RUN', '--target=amazon/books'], 'no image size'),
  ],
)
def test_mistakes_leave_with_code_2(
  words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
  words = [word.replace('RUN', trained.folder()) for word in words]
  assert rank_sources.main(['rank', *words]) == 2
  assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
  ('word', 'sentence'),
  [
    ('--labels_per_class=-1', '--labels_per_class must be 0 or above, not -1'),
    ('--steps=-1', '--steps must be 0 or above, not -1'),
    ('--learning_rate=0', '--learning_rate must be above 0, not 0'),
    ('--seeds=0', '--seeds=0'),
    ('--out=/dev/null/x.json', '/dev/null/x.json cannot be written (Not a directory)'),
    ('--out=FOLDER/result.json', 'is there already, and not of this command'),
  ],
)
def test_what_could_not_be_done_is_refused_before_a_run_is_read(
  word: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  (tmp_path / 'result.json').write_text('{"target": "usps"}')
  assert rank_sources.main(['rank', '--runs=none', word.replace('FOLDER', str(tmp_path))]) == 2
  assert sentence in capsys.readouterr().err
  assert (tmp_path / 'result.json').read_text() == '{"target": "usps"}'


def test_the_folder_of_a_fine_tuning_has_its_rate_and_the_file_its_folders(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  launched: list[str] = []

  def launch(experiment: object, words: list[str]) -> dict[str, Any]:
    launched.append(words[-1])
    return {'accuracy': {'target_test': [0.5]}}

  monkeypatch.setattr(common, 'launch', launch)
  monkeypatch.setattr(rank_sources, '_scores', lambda *_: {})
  monkeypatch.setattr(saved, 'load', lambda *_: SimpleNamespace(flags=common.DEFAULTS))
  out = tmp_path / 'new' / 'folder' / 'x.json'
  for rate in (0.1, 0.2):
    words = ['--runs=a', '--target=usps', '--steps=3', f'--learning_rate={rate}', f'--out={out}']
    assert rank_sources.main(['rank', *words]) == 0
  assert launched == [f'--workdir=a/fine_tuned-usps-3-{rate}-0-3' for rate in (0.1, 0.2)]
  assert json.loads(out.read_text())['rows'] == [{'run': 'a', 'accuracy': 0.5}]
