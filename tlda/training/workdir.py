"""The folder of a run: whose files it holds, and which process writes them."""

import fcntl
import json
import os
from pathlib import Path

from tlda.errors import UserError
from tlda.training.checkpoint import SELECTED
from tlda.training.logs import read

# What a run writes over; whatever else lies in a folder stays as it is.
_WRITTEN = ('result.json', 'metrics.jsonl', 'checkpoints', SELECTED)


class Lock:
  """What the one process that trains in a folder holds; it ends with that process at the latest.

  It is the process that holds it, so that what one process does in turns is not in its own way.
  """

  _file: int | None = None

  def take(self, workdir: Path) -> None:
    """Takes the lock of a local folder, which is there; a bucket (gs://) has none.

    Raises:
      UserError: Another process has it.
    """
    if '://' in os.fspath(workdir):
      return
    try:
      self._file = os.open(workdir / 'lock', os.O_RDWR | os.O_CREAT, 0o666)
      fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
      self.release()
      raise UserError(
        f'another process trains in {workdir}: wait for it, or give another --workdir'
      ) from error
    except OSError:
      return  # A drive without locks, or a folder that is only to be read.

  def release(self) -> None:
    """Lets others in."""
    if self._file is not None:
      os.close(self._file)
      self._file = None

  def __del__(self) -> None:
    """Lets others in where a run could not even begin."""
    self.release()


def check(workdir: Path) -> None:
  """Refuses a folder in which a run would write over files that are none of a run's.

  Raises:
    UserError: There are some, or the result of a run there is broken.
  """
  config, result = workdir / 'config.json', workdir / 'result.json'
  if not config.exists():
    is_ours = not any((workdir / name).exists() for name in _WRITTEN)
  else:
    is_ours = _has_flags(config) and _has_steps(workdir / 'metrics.jsonl')
  if not is_ours:
    raise UserError(f'{workdir} holds files of something else: give another --workdir')
  if result.exists() and not _is_whole(result):
    raise UserError(
      f'{result} is cut off, or no result of a run: remove it, and the same command writes it anew'
    )


def has_checkpoint(workdir: Path) -> bool:
  """Tells whether a run goes on from a checkpoint."""
  checkpoints = workdir / 'checkpoints'
  return checkpoints.is_dir() and any(path.name.isdigit() for path in checkpoints.iterdir())


def has_trained(workdir: Path) -> bool:
  """Tells whether there is anything to lose: a record, or a checkpoint."""
  return has_checkpoint(workdir) or bool(read(workdir / 'metrics.jsonl'))


def _has_flags(config: Path) -> bool:
  try:
    found = json.loads(config.read_text())
  except ValueError as error:
    raise UserError(f'{config} is not JSON ({error}): is this the workdir of a run?') from error
  return isinstance(found, dict) and isinstance(found.get('flags'), dict)


def _has_steps(metrics: Path) -> bool:
  try:
    return all(isinstance(record['step'], int) for record in read(metrics))
  except (ValueError, KeyError, TypeError):
    return False


def _is_whole(result: Path) -> bool:
  """Tells whether a `result.json` holds what every run has measured."""
  try:
    return bool(json.loads(result.read_text())['accuracy']['target_test'])
  except (ValueError, KeyError, TypeError):
    return False
