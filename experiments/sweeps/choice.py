"""What each rule chooses among the runs of a sweep: no label of the target is looked at.

A run's score by a rule is the mean over seeds of the highest score of its steps; the run with the
highest is chosen, and its number is the target accuracy of those steps. The oracle, which nobody
could be, chooses the best target accuracy and is shown under its name only. Runs of different
commits are not compared.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from etils import epath

from experiments.sweeps.state import DONE, Run
from tlda.evaluation import selection
from tlda.evaluation.selection import LAST, ORACLE
from tlda.report import files


@dataclasses.dataclass(frozen=True)
class Measured:
  """What was measured of a finished run.

  Attributes:
    run: The run.
    scores: Rule to the highest score of each seed.
    accuracy: Rule, `last` and `oracle` to the target accuracy of each seed, in [0, 1].
  """

  run: Run
  scores: Mapping[str, Sequence[float]]
  accuracy: Mapping[str, Sequence[float]]


def measure(runs: Sequence[Run]) -> dict[tuple[str, ...], list[Measured]]:
  """Returns what was measured of the finished runs, those of each commit apart."""
  groups: dict[tuple[str, ...], list[Measured]] = {}
  for run in runs:
    if run.state == DONE:
      groups.setdefault(run.commits, []).append(_measured(run))
  return groups


def choose(group: Sequence[Measured]) -> dict[str, Measured]:
  """Returns what each rule chooses, of equal runs the first: rule, and at last the oracle, to run.

  A rule that cannot score all the runs chooses none.
  """
  common = set.intersection(*(set(each.scores) for each in group))
  chosen = {
    rule: max(group, key=lambda each, rule=rule: np.mean(each.scores[rule]))
    for rule in sorted(common)
  }
  return chosen | {ORACLE: max(group, key=lambda each: np.mean(each.accuracy[ORACLE]))}


def _measured(run: Run) -> Measured:
  """Reads what a finished run has logged; rules that its own choice left out are left out."""
  accuracy = run.result['selected']
  path = epath.Path(run.workdir) / 'metrics.jsonl'
  records = files.read_records(path, len(run.result['seeds']))
  scores = selection.best_scores(records, exclude=selection.SCORES.keys() - accuracy.keys())
  return Measured(run, scores, {name: accuracy[name] for name in (*scores, LAST, ORACLE)})
