"""Prepares data sets once, so that experiments find them in the data directory.

  python scripts/prepare_datasets.py mnist_m usps --data_dir=DIR

writes DIR/mnist_m and DIR/usps as TFDS array_record, which the domains tfds:mnist_m and tfds:usps
read, of the raw files of the domains mnist_m and usps. No TensorFlow is needed.
"""

import argparse
import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from experiments import common  # noqa: E402
from tlda.data import embedded, files, mnist  # noqa: E402
from tlda.errors import UserError, nearest  # noqa: E402


def prepare(name: str, raw: Path, output: Path) -> Path:
  """Writes a data set as array_record.

  Args:
    name: A builder of `tlda.data.builders`.
    raw: The folder with the raw files.
    output: The folder to write `NAME/VERSION` to.

  Returns:
    The folder that was written (or was there before, whole).
  """
  # Late: importing TFDS takes a second, and only builders need it.
  import tensorflow_datasets as tfds

  tfds.disable_progress_bar()
  module = importlib.import_module(f'tlda.data.builders.{name}.{name}_dataset_builder')
  builder = module.Builder(data_dir=output, file_format='array_record')
  settings = tfds.download.DownloadConfig(manual_dir=raw, try_download_gcs=False)
  with tempfile.TemporaryDirectory() as downloads:  # Nothing is downloaded; TFDS wants a folder.
    builder.download_and_prepare(download_dir=downloads, download_config=settings)
  return Path(builder.data_dir)


def mnist_mini(raw: Path, output: Path) -> Path:
  """Cuts the first images of MNIST out, as `tlda/data/mnist_mini.npz` holds them."""
  arrays = {}
  for split, examples in (('train', embedded.TRAIN_EXAMPLES), ('test', embedded.TEST_EXAMPLES)):
    arrays[f'{split}_images'] = mnist.images(split, raw)[:examples]
    arrays[f'{split}_labels'] = mnist.labels(split, raw)[:examples].astype(np.uint8)
  return _write(output / embedded.MINI_FILE.name, arrays)


def usps_npz(raw: Path, output: Path) -> Path:
  """Makes usps/usps.npz, which the domain usps reads, of usps/zip.train.gz and zip.test.gz.

  A line of theirs is a label and 256 values in [-1, 1], multiples of 1/1000.
  """
  arrays = {}
  for split in ('train', 'test'):
    path = files.find('usps_npz', f'usps/zip.{split}.gz', raw, 'see the domain usps for its source')
    try:
      table = np.loadtxt(files.read_gzip(path).splitlines(), ndmin=2).reshape(-1, 257)
    except ValueError as error:
      raise UserError(f'{path} is not a table of 257 columns ({error})') from error
    values = np.rint(1000 * (table[:, 1:] + 1)).astype(np.uint16)
    arrays[f'x_{split}_times2000'] = values.reshape(-1, 16, 16)
    arrays[f'y_{split}'] = table[:, 0].astype(np.uint8)
  return _write(output / 'usps' / 'usps.npz', arrays)


FILES: dict[str, Callable[[Path, Path], Path]] = {'mnist_mini': mnist_mini, 'usps_npz': usps_npz}
BUILDERS = ('mnist_m', 'usps')


def main(argv: Sequence[str]) -> int:
  """Prepares what the arguments name; returns the exit code, 2 for a user's mistake."""
  given = _parser().parse_args(argv)
  return common.guarded(lambda: _prepare_all(given.names, *_folders(given)))


def _prepare_all(names: Sequence[str], raw: Path, output: Path) -> None:
  known = [*BUILDERS, *FILES]
  for name in names:
    if name not in known:
      raise UserError(nearest('data set', name, known))
  for name in names:
    try:
      made = FILES[name](raw, output) if name in FILES else prepare(name, raw, output)
    except OSError as error:
      raise UserError(f'{name} cannot be written below {output} ({error})') from error
    print(f'{name}: {made}')


def _parser() -> argparse.ArgumentParser:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  extra = '; usps_npz makes the raw file of usps, mnist_mini the file in tlda/data'
  parser.add_argument('names', nargs='+', metavar='NAME', help=', '.join(BUILDERS) + extra)
  parser.add_argument('--data_dir', help='where to write to; TLDA_DATA_DIR if not given')
  parser.add_argument('--raw_dir', help='where the raw files lie; the data directory if not given')
  return parser


def _folders(arguments: argparse.Namespace) -> tuple[Path, Path]:
  output = files.root(arguments.data_dir)
  if output is None:
    raise UserError(
      f'no data directory was given: pass --data_dir or set {files.DATA_DIR_VARIABLE}'
    )
  raw = files.root(arguments.raw_dir or output)
  if not raw.is_dir() or not any(raw.iterdir()):
    raise UserError(f'there are no raw files in {raw}: no such folder, or an empty one')
  return raw, output


def _write(path: Path, arrays: dict[str, np.ndarray]) -> Path:
  """Writes an npz file, whole or not at all."""
  path.parent.mkdir(parents=True, exist_ok=True)
  partial = path.with_name(path.name + '.partial.npz')
  np.savez_compressed(partial, **arrays)
  os.replace(partial, path)
  return path


if __name__ == '__main__':
  sys.exit(main(sys.argv[1:]))
