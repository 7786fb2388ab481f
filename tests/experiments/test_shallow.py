"""A shallow baseline from its command line: what is written, found again, and refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from experiments import common, office_caltech_surf, shallow
from scripts import reproduce
from tlda.report import files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
  """Two domains of two classes, each in a file, and others that do not fit."""
  rng = np.random.default_rng(0)
  labels = np.arange(20) % 2
  rows = lambda shift, width=3: (labels[:, None] * 3 + shift + rng.normal(size=(20, width))).astype(
    np.float32
  )
  save = lambda name, inputs: np.savez(
    tmp_path / f'{name}.npz', x_train=inputs, y_train=labels, x_test=inputs[:10], y_test=labels[:10]
  )
  save('source', rows(0))
  save('target', rows(0.2))
  save('wide', rows(0.2, 4))
  save('images', rng.integers(0, 255, (20, 4, 4, 1), np.uint8))
  return tmp_path


def words(folder: Path, *more: str, source: str = 'source', target: str = 'target') -> list[str]:
  pair = [f'--source=npz:{folder}/{source}.npz', f'--target=npz:{folder}/{target}.npz']
  return ['shallow', *pair, f'--workdir={folder}/run', *more]


def test_a_result_is_that_of_any_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
  line = words(folder, '--method=pca', '--pca.dimension=2', '--protocol=custom/mine')
  found = shallow.launch(shallow.EXPERIMENT, line)
  assert found == files.read_result(folder / 'run' / 'result.json')
  matrix = np.array(found['confusion_matrix']['target_test'][0])
  assert matrix.sum() == 10  # The test examples of the target.
  assert found['accuracy']['target_test'] == [matrix.trace() / 10]
  assert found['accuracy']['target_test'][0] >= 0.9
  assert (found['protocol'], found['published']) == ('custom/mine', None)
  assert found['config']['flags']['pca.dimension'] == 2
  assert found['config']['command'].startswith('python -m experiments.shallow --source=npz:')
  assert {'commit', 'versions', 'device'} <= found['config'].keys()
  assert [facts['examples'] for facts in found['data'].values()] == 2 * [{'train': 20, 'test': 10}]
  assert 'pca: target test accuracy' in capsys.readouterr().out
  # The same flags find it, whatever they would yield now.
  changed = found | {'seconds': 123.0}
  (folder / 'run' / 'result.json').write_text(json.dumps(changed))
  assert shallow.launch(shallow.EXPERIMENT, line) == changed


@pytest.mark.parametrize(
  ('more', 'pair', 'sentence'),
  [
    (['--method=tcaa'], {}, "unknown shallow method 'tcaa': did you mean 'tca'"),
    (['--method=pca', '--pca.dimension=9'], {}, 'a dimension of 9 cannot be had of'),
    (['--pca.dimension=2'], {}, "unknown flag 'pca.dimension'"),
    (['--method='], {}, "unknown shallow method ''"),
    (['--method=svm', '--svm.c=nan'], {}, '--svm.c must be a finite number, not nan'),
    (['--workdir=/dev/null/run'], {}, 'cannot be written (Not a directory)'),
    ([], {'target': 'wide'}, 'different example shapes (npz:'),
    (
      [],
      {'source': 'images', 'target': 'images'},
      'holds no vectors, which shallow baselines read',
    ),
    ([], {'source': 'nothing'}, 'no such file'),
    (['--protocol=moons'], {}, '--protocol=moons is not followed (it has no pair npz:'),
    (['--protocol=moon'], {}, "unknown protocol 'moon': did you mean 'moons'"),
  ],
)
def test_mistakes_leave_with_code_2(
  folder: Path,
  capsys: pytest.CaptureFixture[str],
  more: list[str],
  pair: dict[str, str],
  sentence: str,
) -> None:
  line = words(folder, *more, **pair)
  assert common.guarded(lambda: shallow.launch(shallow.EXPERIMENT, line)) == 2
  assert sentence in capsys.readouterr().err


def test_a_folder_is_that_of_its_flags(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
  line = words(folder, '--method=nearest_neighbour')
  shallow.launch(shallow.EXPERIMENT, line)
  other = words(folder, '--method=svm')
  assert common.guarded(lambda: shallow.launch(shallow.EXPERIMENT, other)) == 2
  assert '--method: nearest_neighbour there, svm now' in capsys.readouterr().err
  (folder / 'run' / 'result.json').write_text('[]')
  assert common.guarded(lambda: shallow.launch(shallow.EXPERIMENT, line)) == 2
  assert 'is there already, and not of this command' in capsys.readouterr().err


def test_a_folder_of_a_training_or_a_stream_is_left_alone(
  folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  line = words(folder, '--method=nearest_neighbour')
  place = folder / 'run' / 'result.json'
  place.parent.mkdir()
  place.write_text('{"experiment": "test_time", "config": {"flags": {}}}')
  before = place.read_text()
  assert common.guarded(lambda: shallow.launch(shallow.EXPERIMENT, line)) == 2
  assert 'belongs to another run' in capsys.readouterr().err
  assert place.read_text() == before
  place.unlink()
  (folder / 'run' / 'config.json').write_text('{}')
  assert common.guarded(lambda: shallow.launch(shallow.EXPERIMENT, line)) == 2
  assert 'belongs to another run' in capsys.readouterr().err


def test_the_method_of_a_flag_file_is_found(folder: Path) -> None:
  (folder / 'flags').write_text('--method=pca\n--pca.dimension=2\n')
  found = shallow.launch(shallow.EXPERIMENT, words(folder, f'--flagfile={folder}/flags'))
  assert found is not None
  assert found['config']['flags']['pca.dimension'] == 2


def test_every_published_number_has_its_row() -> None:
  rows = reproduce.rows_of('office_caltech_surf', None)
  flags = [dict(flag.lstrip('-').split('=', 1) for flag in row) for row in rows]
  made = [
    {
      'method': office_caltech_surf.named(own),
      'source': [own['source']],
      'target': own['target'],
      'protocol': office_caltech_surf.PROTOCOL,
    }
    for own in flags
  ]
  published = office_caltech_surf.EXPERIMENT.published
  named = {(row['protocol'], *row['source'], row['target'], row['method']) for row in made}
  assert published.keys() <= named
  # The mean of the row as it is published, for one.
  values = [facts['value'] for place, facts in published.items() if place[-1] == 'jda']
  assert round(100 * float(np.mean(values)), 1) == 46.8
