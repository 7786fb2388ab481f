"""How far a sweep is: the state of each run, by what lies in its folder."""

import dataclasses
import json
import time
from collections.abc import Mapping
from typing import Any

from experiments.sweeps import claims, places
from experiments.sweeps.claims import Claim
from experiments.sweeps.plan import Plan

DONE, RUNNING, FAILED, STALE, WAITING = 'done', 'running', 'failed', 'stale', 'waiting'
STATES = (DONE, RUNNING, FAILED, STALE, WAITING)


@dataclasses.dataclass(frozen=True)
class Run:
  """A run of a sweep.

  Attributes:
    id: Its id.
    drawn: Flag to what was drawn for it.
    workdir: Its folder.
    claims: Of all workers that have taken it.
    result: What its `result.json` holds; None while there is none.
  """

  id: str
  drawn: Mapping[str, Any]
  workdir: str
  claims: tuple[Claim, ...]
  result: Mapping[str, Any] | None

  @property
  def state(self) -> str:
    """One of `STATES`: stale is one whose worker is lost, waiting one that nobody has."""
    if self.result is not None:
      return DONE
    last = self.claims[-1] if self.claims else None
    if last is None or last.state == claims.RELEASED:
      return WAITING
    if last.state == claims.FAILED:
      return FAILED
    return STALE if last.is_lost(time.time()) else RUNNING

  @property
  def commits(self) -> tuple[str, ...]:
    """The commits that a finished run was trained with, in order: one, unless it was taken up."""
    begun = self.result['config'].get('commit') or 'unknown'
    seen = [claim.commit or 'unknown' for claim in self.claims]
    # Whoever came before that left nothing to go on from.
    after = seen[seen.index(begun) :] if begun in seen else [begun, *seen]
    return tuple(dict.fromkeys(after))

  @property
  def error(self) -> str:
    """The last line of what a failed run left: the sentence, or the exception."""
    lines = (places.read(f'{self.workdir}/error.txt') or '').strip().splitlines()
    return lines[-1] if lines else ''


def look(plan: Plan, folder: str) -> list[Run]:
  """Returns the runs of a sweep, in the order of its plan."""
  return [_look(plan, folder, run) for run in plan.runs]


def _look(plan: Plan, folder: str, run: str) -> Run:
  workdir = f'{folder}/runs/{run}'
  # Before the result: whoever has finished since is not taken for lost.
  claimed = tuple(claims.history(folder, run))
  text = places.read(f'{workdir}/result.json')
  return Run(run, plan.runs[run], workdir, claimed, json.loads(text) if text else None)


def counts(runs: list[Run]) -> str:
  """Returns how many runs are in each state, as one line."""
  states = [run.state for run in runs]
  return ', '.join(f'{states.count(each)} {each}' for each in STATES)


def table(runs: list[Run]) -> str:
  """Returns a line for each run: its state, who has it, how far it is, and what was drawn."""
  lines = [['run', 'state', 'worker', 'step', *runs[0].drawn]]
  for run in runs:
    last = run.claims[-1] if run.claims else None
    held = last is not None and run.state in (RUNNING, STALE)
    worker = f'{last.host}:{last.pid}' if held else '-'
    step = str(_step(run.workdir)) if held else '-'
    lines.append([run.id, run.state, worker, step, *(str(value) for value in run.drawn.values())])
  widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
  rows = [
    '  '.join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
    for line in lines
  ]
  return '\n'.join(rows)


def _step(workdir: str) -> int:
  """Returns the last logged step of a run, 0 before the first."""
  lines = (places.read(f'{workdir}/metrics.jsonl') or '').splitlines()
  for line in reversed(lines):
    try:
      return json.loads(line)['step']
    except ValueError:  # A line that is being written.
      continue
  return 0
