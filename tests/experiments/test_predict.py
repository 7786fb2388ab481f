"""Predictions of a finished run for files: what is said, and what is left out."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

from experiments import predict, saved
from tests.experiments import trained
from tlda import data


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
  """Three digits as files in two folders, one hidden, and a text that is no image."""
  test = data.load('mnist_mini', image_size=16).test
  folder = tmp_path / 'pictures'
  (folder / 'more').mkdir(parents=True)
  for place, name in enumerate(('a.png', 'more/b.png', '.hidden.png')):
    Image.fromarray(test.inputs[place, :, :, 0]).save(folder / name)
  (folder / 'notes.txt').write_text('no image')
  return folder


def test_a_run_is_read_back_as_it_was_trained() -> None:
  """Its accuracy from the folder alone is what the run measured."""
  run = saved.load(trained.folder())
  result = json.loads((Path(trained.folder()) / 'result.json').read_text())
  test = data.load('sklearn_digits', image_size=16).test
  for place, outputs in enumerate(run.outputs(test.inputs)):
    hits = np.asarray(outputs.logits).argmax(-1) == test.labels
    assert hits.mean() == pytest.approx(result['accuracy']['target_test'][place], abs=1e-6)
  assert run.seeds == (0, 1)


def test_files_and_folders_are_predicted_and_no_image_is_named(
  pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  words = ['predict', f'--workdir={trained.folder()}', str(pictures), str(pictures / 'a.png')]
  assert predict.main(words) == 1
  said = capsys.readouterr()
  lines = [line.split('  ') for line in said.out.splitlines()]
  wanted = [pictures / 'a.png', pictures / 'more' / 'b.png', pictures / 'a.png']
  assert [line[2] for line in lines] == [str(path) for path in wanted]
  assert lines[0][:2] == lines[2][:2]
  assert 'notes.txt' in said.err
  assert '1 left out' in said.err


def test_json_lines_hold_the_mean_of_all_seeds(
  pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  path = str(pictures / 'a.png')
  assert predict.main(['predict', f'--workdir={trained.folder()}', '--json', path]) == 0
  found = json.loads(capsys.readouterr().out)
  run = saved.load(trained.folder())
  image = np.asarray(Image.open(path)).reshape(1, 16, 16, 1)
  logits = [np.asarray(each.logits, np.float64)[0] for each in run.outputs(image)]
  shares = np.mean([np.exp(x) / np.exp(x).sum() for x in logits], axis=0)
  np.testing.assert_allclose(list(found['probabilities'].values()), shares, atol=1e-5)
  assert found['label'] == run.classes[shares.argmax()]
  assert found['file'] == path


def test_lines_of_text_are_named_by_their_number(tmp_path: Path) -> None:
  """Empty lines count, and are not predicted; what is no UTF-8 is left out."""

  class Run:
    class method:
      class spec:
        input_shape = (8,)

  good, bad = tmp_path / 'good.txt', tmp_path / 'bad.txt'
  good.write_text('one\n\nthree\n')
  bad.write_bytes(b'caf\xe9')
  left_out: list[str] = []
  ((names, rows),) = predict._texts(Run(), [good, bad], left_out)
  assert names == [f'{good}:1', f'{good}:3']
  assert rows.shape == (2, 8)
  assert left_out == [str(bad)]


@pytest.mark.parametrize(
  ('words', 'sentence'),
  [
    ([], 'say which run'),
    (['--workdir=RUN'], 'say what to predict'),
    (['--workdir=RUN', 'nowhere.png'], 'no such file or folder: nowhere.png'),
    (['--workdir=RUN', 'EMPTY'], 'holds no files'),
    (['--workdir=nowhere', 'x.png'], 'not the folder of a finished run'),
    (['--workdirr=RUN'], 'workdirr'),
  ],
)
def test_mistakes_leave_with_code_2(
  words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  named = {'RUN': trained.folder(), 'EMPTY': str(tmp_path)}
  words = [word.replace('RUN', named['RUN']).replace('EMPTY', named['EMPTY']) for word in words]
  assert predict.main(['predict', *words]) == 2
  said = capsys.readouterr().err
  assert said.startswith('error: ')
  assert sentence in said
  assert len(said.splitlines()) == 1


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
  assert predict.main(['predict', '--help']) == 0
  assert '--workdir' in capsys.readouterr().out
  jax.clear_caches()
