"""Model soups of finished runs: the mean of their weights, all or greedily chosen."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from experiments.saved import Saved
from tlda import data
from tlda.data import Domain, Split
from tlda.errors import UserError
from tlda.evaluation import ensembles
from tlda.transfer.strategy import path_of

# What runs must share for the mean of their weights to mean anything, beside the seed, which draws
# what is new; how they were trained may differ.
START = ('method', 'backbone', 'bottleneck', 'normalization', 'transfer', 'weights', 'init_from')
# Held-out examples that are looked at, at most.
HELD_OUT, ROWS = 2000, 256


def logits(run: Saved, split: Split) -> np.ndarray:
  """Returns what each seed of a run says of all examples, `[seeds, examples, classes]`."""
  parts = []
  for start in range(0, len(split), ROWS):
    rows = split.fetch(np.arange(start, min(start + ROWS, len(split))))
    parts.append(np.stack([each.logits for each in run.outputs(rows)]))
  return np.concatenate(parts, axis=1)


def check(names: Sequence[str], runs: Sequence[Saved]) -> list[int]:
  """Returns the seeds that all runs have.

  Raises:
    UserError: The runs are not of one start, and their weights have no mean.
  """
  if len(runs) < 2:
    raise UserError('a soup is the mean of several runs of one start: name two or more in --runs')
  for name, run in zip(names[1:], runs[1:], strict=True):
    for flag in START:
      own, first = run.flags.get(flag), runs[0].flags.get(flag)
      if own != first:
        raise UserError(f'no soup of {names[0]} and {name}: --{flag} is {first} there, {own} here')
  for name, run in zip(names[1:], runs[1:], strict=True):
    if _shapes(run) != _shapes(runs[0]):
      raise UserError(f'no soup of {names[0]} and {name}: their weights have other shapes')
  seeds = [seed for seed in runs[0].seeds if all(seed in run.seeds for run in runs)]
  if not seeds:
    raise UserError('a soup is of runs with one seed, which draws their new head: none is in all')
  return seeds


def _shapes(run: Saved) -> dict[str, tuple[int, ...]]:
  found = jax.tree_util.tree_leaves_with_path(run.variables[0])
  return {path_of(keys): leaf.shape for keys, leaf in found}


def soup(runs: Sequence[Saved], seed: int) -> Saved:
  """Returns the network whose weights and statistics are the mean of those of one seed."""
  own = [run.variables[run.seeds.index(seed)] for run in runs]
  mean = jax.tree.map(lambda *x: np.mean(x, axis=0, dtype=np.float64).astype(x[0].dtype), *own)
  return dataclasses.replace(runs[0], variables=(mean,), seeds=(seed,))


def held_out(runs: Sequence[Saved], target: Domain) -> Split | None:
  """Returns target examples whose labels no run has read, though each has read some; or None.

  Runs that read all labels leave nothing to choose by; those that read none must not choose by any.
  """
  left = np.ones(len(target.train), bool)
  for run in runs:
    rows = _read(run, target)
    if rows is None:
      return None
    left[rows] = False
  rows = np.flatnonzero(left)
  # Evenly spaced, for a domain may be sorted by class.
  rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), HELD_OUT)).astype(int)]
  return Split(target.train.fetch(rows), target.train.labels[rows])


def _read(run: Saved, target: Domain) -> np.ndarray | None:
  """Returns the few rows of the target whose labels a run has read; None if these are all, or none.

  The draw is that of the experiments, made of row numbers.
  """
  flag = {'target_labels': 'labels_per_class', 'labelled_target': 'target_labels_per_class'}
  counts = [run.flags.get(flag[part]) for part in sorted(run.method.reads) if part in flag]
  if not counts or not all(counts):
    return None
  numbers = Split(np.arange(len(target.train))[:, None], target.train.labels)
  drawn = [data.draw(numbers, count, len(target.classes)).inputs.ravel() for count in counts]
  return np.concatenate(drawn)


def accuracy(run: Saved, split: Split) -> float:
  """Returns the accuracy of the first seed of a run."""
  return float(ensembles.accuracies(logits(run, split), split.labels)[0])


def cook(names: Sequence[str], runs: Sequence[Saved], target: Domain) -> dict[str, Any]:
  """Returns the test accuracy of soups, one of each seed that all runs have.

  Args:
    names: Of the runs.
    runs: Of one start.
    target: Tested on its test examples; the greedy soup is chosen on held-out training examples.

  Returns:
    'seeds'; 'uniform', a number a seed; and, where examples are held out, 'greedy', a number a
    seed, 'chosen', the names of the runs in it, and 'held_out', the number of examples.
  """
  seeds = check(names, runs)
  found: dict[str, Any] = {'seeds': seeds, 'uniform': []}
  validation = held_out(runs, target)
  if validation is not None and len(validation):
    found |= {'greedy': [], 'chosen': [], 'held_out': len(validation)}
  for seed in seeds:
    found['uniform'].append(accuracy(soup(runs, seed), target.test))
    if 'greedy' in found:
      score = lambda some, seed=seed: accuracy(soup(some, seed), validation)
      chosen = ensembles.greedy_soup(runs, [score([run]) for run in runs], score)
      found['greedy'].append(accuracy(soup([runs[place] for place in chosen], seed), target.test))
      found['chosen'].append([names[place] for place in chosen])
  return found
