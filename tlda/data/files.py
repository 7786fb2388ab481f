"""Finding and reading data files: what is missing or broken is one sentence; nothing is run."""

import gzip
import hashlib
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from tlda.errors import UserError

DATA_DIR_VARIABLE = 'TLDA_DATA_DIR'
# How many times its size an archive may grow to, but for small ones: masks shrink a lot.
_MOST_GROWTH, _ALWAYS_READ = 100, 2**30
DataDir = str | os.PathLike | None


def root(data_dir: DataDir) -> Path | None:
  """Returns the data directory: the argument, else TLDA_DATA_DIR, else None."""
  chosen = data_dir or os.environ.get(DATA_DIR_VARIABLE)
  return Path(chosen).expanduser() if chosen else None


def find(name: str, relative: str, data_dir: DataDir, how: str) -> Path:
  """Finds a file or folder of a domain below the data directory.

  Args:
    name: The domain, for the sentence.
    relative: Where it lies below the data directory.
    data_dir: The data directory, or None for TLDA_DATA_DIR.
    how: How to get it, and its licence.

  Returns:
    The path, which exists.

  Raises:
    UserError: What is missing, where it was looked for, and `how`.
  """
  folder = root(data_dir)
  if folder is None:
    where = f'no data directory was given (--data_dir or {DATA_DIR_VARIABLE}) to look for'
    raise UserError(f'{name}: {where} {relative}; {how}')
  path = folder / relative
  if not path.exists():
    raise UserError(f'{name}: {relative} is missing, looked for in {folder}; {how}')
  return path


def read_arrays(path: Path) -> dict[str, np.ndarray]:
  """Reads all arrays of an npz file; pickled objects are refused.

  Args:
    path: The file.

  Returns:
    The arrays by name.

  Raises:
    UserError: If the file is missing, truncated, not npz, or holds Python objects.
  """
  if not path.is_file():
    raise UserError(f'no such file: {path}')
  # NumPy takes any other file for a pickle, and says so.
  if not zipfile.is_zipfile(path):
    raise UserError(f'{path} is not an npz file, or a truncated one')
  try:
    with zipfile.ZipFile(path) as archive:
      size = sum(info.file_size for info in archive.infolist())
    if size > max(_MOST_GROWTH * path.stat().st_size, _ALWAYS_READ):
      raise ValueError(f'it would grow to {size / 2**30:.1f} GiB')
    with np.load(path, allow_pickle=False) as arrays:
      return {key: arrays[key] for key in arrays.files}
  except Exception as error:  # Broken bytes raise many kinds in zipfile, zlib and NumPy.
    raise UserError(f'{path} is not a readable npz file of plain arrays ({error})') from error


def read_gzip(path: Path) -> bytes:
  """Reads a gzip file whole.

  Args:
    path: The file.

  Returns:
    Its uncompressed bytes.

  Raises:
    UserError: If it is truncated or not gzip.
  """
  try:
    return gzip.decompress(path.read_bytes())
  except (OSError, EOFError, zlib.error) as error:
    raise UserError(f'{path} is not a readable gzip file ({error})') from error


def verify(content: bytes | np.ndarray, sha256: str, what: str) -> None:
  """Compares contents with the hash that they should have.

  Args:
    content: Bytes, or an array (its elements in C order).
    sha256: The expected hash in hexadecimal.
    what: Named in the sentence.

  Raises:
    UserError: If the hash differs.
  """
  if isinstance(content, np.ndarray):
    content = np.ascontiguousarray(content)
  found = hashlib.sha256(content).hexdigest()
  if found != sha256:
    raise UserError(
      f'{what} differs from the published data: '
      f'its sha256 is {found[:12]}..., expected {sha256[:12]}...'
    )
