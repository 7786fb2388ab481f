"""Files in a folder that workers share, on a disk or in a bucket (gs://)."""

import contextlib
import os
from pathlib import Path

import fsspec

from tlda.errors import UserError


def read(path: str) -> str | None:
  """Returns the text of a file; None where there is none."""
  system, place = _at(path)
  try:
    return system.cat_file(place).decode()
  except (FileNotFoundError, NotADirectoryError):
    return None


def modified(path: str) -> float:
  """Returns when a file was written last, in seconds since the epoch."""
  system, place = _at(path)
  return system.modified(place).timestamp()


def create(path: str, text: str) -> bool:
  """Writes a file that was not there; of several who try, one succeeds.

  Returns:
    Whether it was written: not where there is one already.
  """
  if '://' not in path:  # Before the rest, for a file in the place of the folder is a mistake.
    Path(path).parent.mkdir(parents=True, exist_ok=True)
  try:
    if '://' in path:
      system, place = _at(path)
      system.pipe_file(place, text.encode(), mode='create')
      return True
    # On a disk fsspec looks first and writes then, and two may look at once.
    with Path(path).open('x') as file:
      file.write(text)
  except FileExistsError:
    return False
  return True


def replace(path: str, text: str) -> None:
  """Writes a file anew, whole or not at all."""
  if '://' in path:  # An object of a bucket is never seen half written.
    system, place = _at(path)
    system.pipe_file(place, text.encode())
    return
  temporary = Path(f'{path}.{os.getpid()}.tmp')
  temporary.parent.mkdir(parents=True, exist_ok=True)
  temporary.write_text(text)
  temporary.replace(path)


def remove(path: str) -> None:
  """Removes a file, if there is one."""
  system, place = _at(path)
  with contextlib.suppress(FileNotFoundError):
    system.rm_file(place)


def _at(path: str) -> tuple[fsspec.AbstractFileSystem, str]:
  try:
    return fsspec.core.url_to_fs(path)
  except ImportError as error:
    raise UserError(f'--folder={path} needs another package: {error}') from error
