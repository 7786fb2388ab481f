"""Finished runs, as the page sees them."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from etils import epath

from tlda.errors import UserError
from tlda.report import files


@dataclasses.dataclass(frozen=True)
class Run:
  """A finished run.

  Attributes:
    label: What tells the run from those beside it: its method, and its folder where two have the
      same method.
    config: `config.json`.
    result: `result.json`; what every run has is there and of its type.
    records: `metrics.jsonl`, one mapping a log step.
    samples: `report/samples.npz`: labels `[n]` and features `[n, d]` of both domains, images
      `[m, height, width, channels]` uint8 where examples are images.
  """

  label: str
  config: Mapping[str, Any]
  result: Mapping[str, Any]
  records: Sequence[Mapping[str, Any]]
  samples: Mapping[str, np.ndarray]

  def series(self, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns the steps `[n]` at which `key` was logged, and its values `[n, seeds]`."""
    logged = [record for record in self.records if key in record]
    steps = np.array([record['step'] for record in logged])
    return steps, np.array([np.atleast_1d(record[key]) for record in logged], np.float64)

  def keys(self, prefix: str) -> list[str]:
    """Returns the logged names that begin with `prefix`, in order of first appearance."""
    names = dict.fromkeys(name for record in self.records for name in record)
    return [name for name in names if name.startswith(prefix)]

  def class_name(self, label: int) -> str:
    """Returns the name of a class; where the task has none, its number."""
    names = self.result.get('class_names') or []
    return names[label] if 0 <= label < len(names) else str(label)


def read(workdirs: Sequence[Path]) -> list[Run]:
  """Reads runs that are to be compared.

  Args:
    workdirs: One folder a run.

  Raises:
    UserError: A file is missing or broken, or the runs differ in source, target or protocol.
  """
  if not workdirs:
    raise UserError('a report needs at least one run folder')
  runs = [_read(epath.Path(workdir)) for workdir in workdirs]
  for workdir, run in zip(workdirs, runs, strict=True):
    for key in ('source', 'target', 'protocol'):
      if run.result[key] != runs[0].result[key]:
        raise UserError(
          f'{workdir} cannot be compared with {workdirs[0]}: its {key} is '
          f'{run.result[key]!r}, not {runs[0].result[key]!r}'
        )
  methods = [run.label for run in runs]
  return [
    dataclasses.replace(run, label=f'{run.label} ({workdir})')
    if methods.count(run.label) > 1
    else run
    for workdir, run in zip(workdirs, runs, strict=True)
  ]


def _read(workdir: Path) -> Run:
  """Reads one run; its label is its method."""
  result = files.read_result(workdir / 'result.json')
  if 'trained_together' in result:
    raise UserError(
      f'{workdir} was trained together with others, and has numbers only: for a page, train it by '
      'the command in its config.json'
    )
  return Run(
    label=result['method'],
    config=files.read_object(workdir / 'config.json'),
    result=result,
    records=files.read_records(workdir / 'metrics.jsonl', len(result['seeds'])),
    samples=files.read_samples(workdir / 'report' / 'samples.npz'),
  )
