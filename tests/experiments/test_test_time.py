"""A trained run meets streams: what is measured, said and written, and what is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import common, test_time
from tests.experiments import trained
from tlda.errors import UserError

RUN = 'test_time --stream=sklearn_digits,corrupted:sklearn_digits/contrast-2 --batch_size=64'


def run(*words: str) -> dict[str, Any]:
  found = test_time.adapt([*RUN.split(), f'--init_from={trained.folder()}', *words])
  assert found is not None
  return found


def test_a_stream_is_measured_beside_the_network_as_it_was(
  tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
  found = run('--method=t3a', '--t3a.supports=5', '--reset=domain', f'--workdir={tmp_path}')
  assert found == json.loads((tmp_path / 'result.json').read_text())
  assert found['protocol'] == 'test_time/batches of 64, 896 samples, reset domain'
  assert found['seeds'] == [0, 1]
  assert [each['samples'] for each in found['domains']] == [448, 448]
  result = json.loads((Path(trained.folder()) / 'result.json').read_text())
  accuracy = 1 - np.array(result['accuracy']['target_test'])  # Of all 500 examples.
  np.testing.assert_allclose(found['domains'][0]['source_error'], accuracy, atol=52 / 448)
  assert found['domains'][0]['error'] != found['domains'][0]['source_error']
  said = capsys.readouterr().out.splitlines()
  assert said[0] == f't3a, {found["protocol"]}'
  assert [line.split()[0] for line in said[1:]] == [
    'sklearn_digits',
    'corrupted:sklearn_digits/contrast-2',
    'mean',
  ]
  # The same flags find it, whatever they would yield now; others are refused, and leave it.
  (tmp_path / 'result.json').write_text(json.dumps(found | {'seeds': [7]}))
  again = run('--method=t3a', '--t3a.supports=5', '--reset=domain', f'--workdir={tmp_path}')
  assert again['seeds'] == [7]
  with pytest.raises(UserError, match='--reset: domain there, never now'):
    run('--method=t3a', '--t3a.supports=5', f'--workdir={tmp_path}')


def test_a_folder_of_a_training_is_left_alone() -> None:
  place = Path(trained.folder()) / 'result.json'
  before = place.read_text()
  with pytest.raises(UserError, match='belongs to another run'):
    run('--method=lame', f'--workdir={trained.folder()}')
  assert place.read_text() == before


def test_the_method_of_a_flag_file_is_found(tmp_path: Path) -> None:
  (tmp_path / 'flags').write_text('--method=lame\n--lame.neighbours=0\n')
  with pytest.raises(UserError, match='neighbours must be 1 or above, not 0'):
    run(f'--flagfile={tmp_path}/flags', f'--workdir={tmp_path}')


@pytest.mark.parametrize(
  ('words', 'sentence'),
  [
    (['--init_from='], 'say which run meets which domains'),
    (['--init_from=nowhere'], 'not the folder of a finished run'),
    (['--method=dann'], '--method=dann is none for test time: these are batch_norm_adaptation,'),
    (['--method=tent'], 'TENT adapts batch normalisation, and this network has none'),
    (['--method=lame', '--batch_size=512'], 'which is less than a batch: --batch_size=512'),
    (['--method=lame', '--reset=often'], "unknown reset 'often'"),
    (['--method=lame', '--seeds=0,7'], 'has seeds [0, 1], not [7]'),
    (['--method=lame', '--lame.neighbours=0'], 'neighbours must be 1 or above, not 0'),
    (['--method=lame', '--learning_rate=0'], '--learning_rate above 0'),
    (['--learning_rate=inf'], '--learning_rate must be a finite number, not inf'),
    (['--method=lame', '--momentum=7'], '--momentum must be in [0, 1), not 7.0'),
    (['--method='], "unknown method ''"),
    (['--workdir=/dev/null/run'], 'cannot be written (Not a directory)'),
    (['--method=lame', '--stream=corrupted:usps/fog'], "unknown corruption 'fog'"),
  ],
)
def test_mistakes_leave_with_code_2(
  words: list[str], sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
  argv = [*RUN.split(), f'--init_from={trained.folder()}', f'--workdir={tmp_path}', *words]
  assert common.guarded(lambda: test_time.adapt(argv)) == 2
  assert sentence in capsys.readouterr().err
