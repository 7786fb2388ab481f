"""`metrics.jsonl`, the truth of what was measured, and its mirror for TensorBoard."""

import json
import math
import os
from pathlib import Path
from typing import Any, Self

from tensorboardX import SummaryWriter

Record = dict[str, Any]


def read(path: Path) -> list[Record]:
  """Returns the records of a `metrics.jsonl`; a last line that a kill cut off is left out."""
  if not path.exists():
    return []
  records = []
  for line in path.read_text().splitlines():
    try:
      records.append(json.loads(line))
    except json.JSONDecodeError:
      break
  return records


class MetricLog:
  """Writes a JSON object a line: `step`, and values that are a number or a list, one a seed."""

  def __init__(self, workdir: Path, seeds: tuple[int, ...], step: int, *, writes: bool) -> None:
    """Opens the log of a run that has done `step` steps; what was logged after that is cut off.

    Args:
      workdir: The folder of the run.
      seeds: Its seeds.
      step: The steps that were done.
      writes: Whether this process writes (the first host); another only keeps the records.
    """
    self._path, self._writes = workdir / 'metrics.jsonl', writes
    self._is_local = '://' not in os.fspath(workdir)
    self.records = [record for record in read(self._path) if record['step'] <= step]
    if not writes:
      return
    self._boards: list[SummaryWriter] = []
    if not self._is_local:
      self._rewrite(self._path)
      return
    temporary = self._path.with_suffix('.tmp')
    self._rewrite(temporary)
    temporary.replace(self._path)
    self._file = self._path.open('a')
    self._boards = [
      SummaryWriter(str(workdir / 'tensorboard' / f'seed_{seed}'), purge_step=step + 1)
      for seed in seeds
    ]

  def _rewrite(self, path: Path) -> None:
    path.write_text(''.join(json.dumps(record) + '\n' for record in self.records))

  def write(self, step: int, values: Record) -> None:
    """Appends one record, and mirrors it for TensorBoard where the folder is local.

    A bucket (gs://) cannot be appended to: its object is written anew, whole or not at all.
    """
    record = {'step': step, **values}
    self.records.append(record)
    if not self._writes:
      return
    if not self._is_local:
      self._rewrite(self._path)
      return
    self._file.write(json.dumps(record) + '\n')
    self._file.flush()
    for place, board in enumerate(self._boards):
      for name, value in values.items():
        number = value[place] if isinstance(value, list) else value
        if isinstance(number, int | float) and math.isfinite(number):
          board.add_scalar(name, number, step)

  def close(self) -> None:
    """Closes the files."""
    if not (self._writes and self._is_local):
      return
    self._file.close()
    for board in self._boards:
      board.close()

  def __enter__(self) -> Self:
    """Returns the log itself."""
    return self

  def __exit__(self, *_: object) -> None:
    """Closes the files."""
    self.close()
