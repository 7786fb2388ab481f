"""Which step of a run its number is taken from, and what that costs in honesty."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from tlda.evaluation import validators

SOURCE, TARGET = 'accuracy/source_test', 'accuracy/target_test'
SOURCE_ACCURACY = 'source_accuracy'
LAST, ORACLE = 'last', 'oracle'

# Rules that look at no target label: name to the value of a record whose highest is chosen.
SCORES = {SOURCE_ACCURACY: SOURCE} | {name: f'validator/{name}' for name in validators.names()}

Record = Mapping[str, Any]


def rules() -> list[str]:
  """Returns the names of the rules that a checkpoint may be chosen by, without a target label."""
  return [LAST, *sorted(SCORES)]


def select(records: Sequence[Record], exclude: Collection[str] = ()) -> dict[str, list[float]]:
  """Returns the target accuracy of each seed under each selection rule.

  Rules that look at no target label: `last`, the last evaluated step; `source_accuracy`, the step
  with the best accuracy on the source's test examples; and each validator, the step with its best
  score (of equal ones the latest). `oracle` is the best accuracy on the target's test examples: an
  upper bound that nobody could have chosen without target labels, shown under that name only. A
  rule whose score is not in every evaluated record is not among them.

  Args:
    records: The records of a run's `metrics.jsonl`, in the order of steps. A value is a number, or
      a list with one number a seed. Records without target accuracy are passed over.
    exclude: Rules that are not to choose, whatever the records hold.

  Returns:
    For each rule, one accuracy in [0, 1] a seed.

  Raises:
    ValueError: No record holds an accuracy of the target.
  """
  target, scores = _tables(records, exclude)
  chosen = {name: _chosen(target, own) for name, own in scores.items()}
  return {LAST: target[-1].tolist(), **chosen, ORACLE: target.max(axis=0).tolist()}


def best_scores(records: Sequence[Record], exclude: Collection[str] = ()) -> dict[str, list[float]]:
  """Returns the score of the step that each rule chooses: what it compares one run with another by.

  Args:
    records: As for `select`.
    exclude: The same.

  Returns:
    For each rule that has a score, one number a seed: the higher, the better.

  Raises:
    ValueError: No record holds an accuracy of the target.
  """
  _, scores = _tables(records, exclude)
  return {name: own.max(axis=0).tolist() for name, own in scores.items()}


def rank_correlation(
  records: Sequence[Record], exclude: Collection[str] = ()
) -> dict[str, list[float | None]]:
  """Returns how well each score orders the evaluated steps by target accuracy.

  It uses target labels to judge a rule, and chooses nothing.

  Args:
    records: As for `select`.
    exclude: The same.

  Returns:
    For each rule that has a score, Spearman's correlation of score and target accuracy over the
    evaluated steps, in [-1, 1], one a seed; None where either is the same at all of them.

  Raises:
    ValueError: No record holds an accuracy of the target.
  """
  target, scores = _tables(records, exclude)
  return {
    name: [_spearman(*pair) for pair in zip(own.T, target.T, strict=True)]
    for name, own in scores.items()
  }


def _tables(
  records: Sequence[Record], exclude: Collection[str]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
  """Returns target accuracy `[steps, seeds]`, and the scores that every evaluated record has."""
  evaluated = [record for record in records if TARGET in record]
  if not evaluated:
    raise ValueError(f'no record holds {TARGET}')
  table = lambda key: np.stack([np.atleast_1d(record[key]) for record in evaluated])
  held = {
    name: table(key)
    for name, key in SCORES.items()
    if name not in exclude and all(key in record for record in evaluated)
  }
  return table(TARGET), held


def _chosen(target: np.ndarray, scores: np.ndarray) -> list[float]:
  best = len(scores) - 1 - np.argmax(scores[::-1], axis=0)
  return np.take_along_axis(target, best[None], axis=0)[0].tolist()


def _spearman(scores: np.ndarray, target: np.ndarray) -> float | None:
  ranks = rankdata([scores, target], axis=1)
  ranks -= ranks.mean(axis=1, keepdims=True)
  lengths = np.linalg.norm(ranks, axis=1)
  return round(float(ranks[0] @ ranks[1] / lengths.prod()), 6) if lengths.all() else None
