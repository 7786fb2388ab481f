"""Files that commands write: looked at before anything is computed, and written whole."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tlda.errors import UserError

# What says nothing about the numbers.
_FREE = {'workdir', 'data_dir'}


def check(path: Path, flag: str = '') -> None:
  """Refuses a file that could not be written.

  Args:
    path: The file; the folders that it lies in need not be there.
    flag: What the user named it by, if anything.

  Raises:
    UserError: What is in the way.
  """
  try:
    path.lstat()
  except FileNotFoundError:
    pass
  except OSError as error:  # A folder of it is a file, or a name is too long.
    raise UserError(_blocked(path, flag, error.strerror)) from error
  if path.is_dir():
    raise UserError(_blocked(path, flag, 'it is a folder'))
  folder = next(folder for folder in path.absolute().parents if folder.exists())
  if not os.access(folder, os.W_OK | os.X_OK):
    raise UserError(_blocked(path, flag, f'no permission in {folder}'))


def write(path: Path, found: Mapping[str, Any], flag: str) -> None:
  """Writes JSON, whole or not at all.

  Raises:
    UserError: The file cannot be written.
  """
  temporary = path.with_name(f'{path.name}.tmp')
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary.write_text(json.dumps(found, indent=2) + '\n')
    temporary.replace(path)
  except OSError as error:
    raise UserError(_blocked(path, flag, error.strerror)) from error


def own(path: Path, flag: str, keys: set[str]) -> dict[str, Any] | None:
  """Returns what a command has written before; None where there is nothing, and it can be written.

  Args:
    path: The file.
    flag: What the user named it by.
    keys: What the command's file holds.

  Raises:
    UserError: The file is none of the command's, or cannot be written.
  """
  check(path, flag)
  if not path.exists():
    return None
  try:
    found = json.loads(path.read_text())
  except (OSError, ValueError):
    found = None
  if not isinstance(found, dict) or not keys <= found.keys():
    raise UserError(f'{path} is there already, and not of this command: give another {flag}')
  return found


def finished(workdir: Path, parsed: Mapping[str, Any], experiment: str) -> dict[str, Any] | None:
  """Returns the result of these flags, where the folder holds it.

  Args:
    workdir: The folder.
    parsed: All flags.
    experiment: The name that the result is written under.

  Raises:
    UserError: It holds that of other flags, a training, or something else; or cannot be written.
  """
  path = workdir / 'result.json'
  other = f'--workdir={workdir} belongs to another run: give another workdir'
  if (workdir / 'config.json').exists():  # Of a training, finished or not.
    raise UserError(other)
  found = own(path, '--workdir', {'config'})
  if found is None:
    return None
  before = found['config'].get('flags') if isinstance(found['config'], dict) else None
  if not isinstance(before, dict) or found.get('experiment') != experiment:
    raise UserError(other)
  names = sorted((before.keys() | parsed.keys()) - _FREE)
  changed = [
    f'--{name}: {before.get(name)} there, {parsed.get(name)} now'
    for name in names
    if before.get(name) != parsed.get(name)
  ]
  if changed:
    raise UserError(
      f'--workdir={workdir} belongs to a run with other flags ({"; ".join(changed)}): '
      'give it another workdir, or the old flags'
    )
  return found


def _blocked(path: Path, flag: str, reason: str | None) -> str:
  advice = f': give another {flag}' if flag else ''
  return f'{path} cannot be written ({reason}){advice}'
