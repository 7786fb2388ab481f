"""`scripts/prepare_datasets.py`: what it writes is what the domains say."""

import dataclasses
import gzip
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tlda import data
from tlda.data import Split, embedded, files, mnist_m

SCRIPT = Path(__file__).resolve().parents[2] / 'scripts' / 'prepare_datasets.py'


@pytest.fixture(scope='module')
def script() -> ModuleType:
  spec = importlib.util.spec_from_file_location('prepare_datasets', SCRIPT)
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  return module


def test_the_prepared_usps_is_usps(script: ModuleType, data_dir: Path, tmp_path: Path) -> None:
  assert script.main(['usps', f'--raw_dir={data_dir}', f'--data_dir={tmp_path}']) == 0
  assert 'tensorflow' not in sys.modules
  read, raw = data.load('tfds:usps', tmp_path), data.load('usps', data_dir)
  for split in ('train', 'test'):
    np.testing.assert_array_equal(getattr(read, split).inputs, getattr(raw, split).inputs)
    np.testing.assert_array_equal(getattr(read, split).labels, getattr(raw, split).labels)
  assert (read.classes, read.licence) == (raw.classes, raw.licence)


def test_the_prepared_mnist_m_is_mnist_m(
  script: ModuleType, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  raw = data.load('mnist_m', data_dir)
  shorten = lambda split: Split(split.inputs[:200], split.labels[:200])
  few = dataclasses.replace(raw, train=shorten(raw.train), test=shorten(raw.test))
  monkeypatch.setattr(mnist_m, 'load', lambda _: few)
  assert script.main(['mnist_m', f'--raw_dir={data_dir}', f'--data_dir={tmp_path}']) == 0
  read = data.load('tfds:mnist_m', tmp_path)
  for split in ('train', 'test'):
    assert getattr(read, split).sha256 == getattr(few, split).sha256
  assert (read.classes, read.licence) == (raw.classes, raw.licence)


def test_the_embedded_file_is_made_again(
  script: ModuleType, data_dir: Path, tmp_path: Path
) -> None:
  assert script.main(['mnist_mini', f'--raw_dir={data_dir}', f'--data_dir={tmp_path}']) == 0
  made, kept = (files.read_arrays(f) for f in (tmp_path / 'mnist_mini.npz', embedded.MINI_FILE))
  assert made.keys() == kept.keys()
  for name, array in kept.items():
    assert made[name].dtype == array.dtype
    np.testing.assert_array_equal(made[name], array)


def test_usps_npz_is_made_of_the_published_text(
  script: ModuleType, data_dir: Path, tmp_path: Path
) -> None:
  (tmp_path / 'usps').mkdir()
  arrays = files.read_arrays(data_dir / 'usps' / 'usps.npz')
  for split in ('train', 'test'):
    values = arrays[f'x_{split}_times2000'][:50].reshape(50, 256).astype(int)
    lines = [
      ' '.join([f'{label}.0000', *(f'{value / 1000 - 1:.4f}' for value in row)])
      for label, row in zip(arrays[f'y_{split}'][:50], values, strict=True)
    ]
    path = tmp_path / 'usps' / f'zip.{split}.gz'
    path.write_bytes(gzip.compress('\n'.join(lines).encode(), 1))
  assert script.main(['usps_npz', f'--data_dir={tmp_path}']) == 0
  made = files.read_arrays(tmp_path / 'usps' / 'usps.npz')
  assert made.keys() == arrays.keys()
  for name, array in arrays.items():
    assert made[name].dtype == array.dtype
    np.testing.assert_array_equal(made[name], array[:50])


def test_mistakes_are_one_sentence(
  script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.delenv('TLDA_DATA_DIR', raising=False)
  (tmp_path / 'usps').mkdir()
  (tmp_path / 'usps' / 'zip.train.gz').write_bytes(gzip.compress(b'1 2 3\n'))
  there = f'--data_dir={tmp_path}'
  cases = [
    (['usps'], 'no data directory was given: pass --data_dir or set TLDA_DATA_DIR'),
    (['usp', there], "unknown data set 'usp': did you mean 'usps'"),
    (['usps', there, f'--raw_dir={tmp_path}/none'], 'there are no raw files in'),
    (['usps', there], 'usps: usps/usps.npz is missing, looked for in'),
    (['usps_npz', there], 'zip.train.gz is not a table of 257 columns'),
    (['mnist_mini', there], 'mnist: mnist/train-images-idx3-ubyte.gz is missing'),
  ]
  for arguments, said in cases:
    assert script.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith('error: ')
    assert said in error


def test_where_nothing_can_be_written(
  script: ModuleType, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
  (tmp_path / 'file').write_text('')
  given = [f'--raw_dir={data_dir}', f'--data_dir={tmp_path}/file']
  for name in ('usps', 'mnist_mini'):
    assert script.main([name, *given]) == 2
    assert 'cannot be written below' in capsys.readouterr().err


def test_it_runs_as_a_program(tmp_path: Path) -> None:
  command = [sys.executable, str(SCRIPT), 'nothing', f'--data_dir={tmp_path}']
  done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
  assert done.returncode == 2
  assert done.stderr.startswith('error: ')
  assert done.stderr.count('\n') == 1
