"""Which step of a run its number is taken from, and what that costs in honesty."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

SOURCE, TARGET = 'accuracy/source_test', 'accuracy/target_test'
ORACLE = 'oracle'


LAST = 'last'

# Rules that look at no target label: name to the value of a record whose highest is chosen.
SCORES = {'source_accuracy': SOURCE}


def rules() -> list[str]:
  """Returns the names of the rules that a checkpoint may be chosen by, without a target label."""
  return [LAST, *sorted(SCORES)]


def select(records: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
  """Returns the target accuracy of each seed under each selection rule.

  Rules that look at no target label: `last`, the last evaluated step; `source_accuracy`, the step
  with the best accuracy on the source's test examples (of equal ones the latest). `oracle` is the
  best accuracy on the target's test examples: an upper bound that nobody could have chosen without
  target labels, shown under that name only. Where the source was never measured, `source_accuracy`
  is not among them.

  Args:
    records: The records of a run's `metrics.jsonl`, in the order of steps. A value is a number, or
      a list with one number a seed. Records without target accuracy are passed over.

  Returns:
    For each rule, one accuracy in [0, 1] a seed.

  Raises:
    ValueError: No record holds an accuracy of the target.
  """
  evaluated = [record for record in records if TARGET in record]
  if not evaluated:
    raise ValueError(f'no record holds {TARGET}')
  target = np.stack([np.atleast_1d(record[TARGET]) for record in evaluated])
  of_source = {}
  if all(SOURCE in record for record in evaluated):
    source = np.stack([np.atleast_1d(record[SOURCE]) for record in evaluated])
    best = len(evaluated) - 1 - np.argmax(source[::-1], axis=0)
    of_source['source_accuracy'] = np.take_along_axis(target, best[None], axis=0)[0].tolist()
  return {'last': target[-1].tolist(), **of_source, ORACLE: target.max(axis=0).tolist()}
