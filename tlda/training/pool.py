"""The domains of many runs on the devices, and the batches that each run takes of its own."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from tlda.data import Split
from tlda.errors import UserError
from tlda.training.inputs import RESIDENT_LIMIT, Feed, Inputs, Part, parts
from tlda.training.parallel import Parallel
from tlda.training.run import Run


class Pool:
  """The domains of all runs, joined, and which of them each seed of each run learns from.

  Attributes:
    inputs: Of all domains joined, one after the other.
    arrays: Theirs, with the preprocessing of each problem.
  """

  def __init__(self, runs: Sequence[Run], devices: Parallel) -> None:
    first = runs[0]
    options = {'batch_size': first.batch_size, 'views': first.method.views, 'parallel': devices}
    problems = {problem(run): run for run in runs}
    numbers = {name: number for number, name in enumerate(problems)}
    read = [
      parts(run.method, run.sources, run.target, run.labelled_target) for run in problems.values()
    ]
    self._devices = devices
    members = [(numbers[problem(run)], seed) for run in runs for seed in run.seeds]
    # Runs of one pair see the same batches of a seed: these are drawn once.
    self._drawn = list(dict.fromkeys(members))
    self._places = np.array([self._drawn.index(member) for member in members])
    self._problems = np.array([number for number, _ in members], np.int32)
    self._each = [
      Inputs(own, preprocessing=first.preprocessing, resident=False, **options) for own in read
    ]
    joined, starts = _joined(read)
    self._starts = {
      name: np.stack([starts[number][name] for number, _ in self._drawn]) for name in joined
    }
    self.inputs = Inputs(
      joined, preprocessing=first.preprocessing, augment=first.augment, **options
    )
    if not self.inputs.is_resident:
      raise UserError(
        f'the domains of runs that are trained together take more than {RESIDENT_LIMIT / 2**30:g} '
        'GiB: train fewer pairs at once'
      )
    seen = [run.preprocessing.arrays() for run in problems.values()]
    stacked = devices.replicate(jax.tree.map(lambda *x: np.stack(x), *seen))
    self.arrays = {**self.inputs.arrays, 'preprocessing': stacked}

  def feed(self, steps: Sequence[int]) -> Feed:
    """Returns what travels for a stretch: arrays `[devices, steps, members, ...]`."""
    stack = lambda *x: np.stack(x, axis=1)
    fed = [self._of_step(step) for step in steps]
    return jax.tree.map(stack, *fed)

  def of(self, arrays: Any, feed: Feed) -> tuple[Any, Feed]:
    """Returns the arrays and the feed of one member, as its inputs take them."""
    pick = lambda x: x[feed['problem']]
    own = jax.tree.map(pick, arrays['preprocessing'])
    return {**arrays, 'preprocessing': own}, {k: v for k, v in feed.items() if k != 'problem'}

  def _of_step(self, step: int) -> Feed:
    """Returns the feed of all members at one step: arrays `[devices, members, ...]`."""
    seen = [self._each[number].indices(seed, step) for number, seed in self._drawn]
    own = lambda rows: self._devices.split(rows[self._places], axis=2)
    feed: Feed = {}
    for name in self.inputs.read:
      index = np.stack([rows[name] for rows in seen])
      feed[name] = {'index': own(index), 'row': own(index + self._starts[name][..., None])}
    count = len(feed[name]['index'])
    return feed | {'problem': np.broadcast_to(self._problems, (count, len(self._problems)))}


def problem(run: Run) -> tuple[str, ...]:
  """Returns the names of a run's domains."""
  return (*(source.name for source in run.sources), run.target.name)


def _joined(
  read: Sequence[Mapping[str, Part]],
) -> tuple[dict[str, Part], list[dict[str, np.ndarray]]]:
  """Joins the domains of several problems, each once, part by part and source by source.

  Args:
    read: The parts of the batch of each problem.

  Returns:
    The parts of all, and for each problem where its own begin there: int32 `[splits]`.
  """
  parts, starts = {}, [{} for _ in read]
  for name, part in read[0].items():
    columns = list(zip(*(own[name].splits for own in read), strict=True))
    parts[name] = dataclasses.replace(part, splits=tuple(map(_concatenated, columns)))
    places = [_places(column) for column in columns]
    for number, own in enumerate(starts):
      own[name] = np.array([place[number] for place in places], np.int32)
  return parts, starts


def _concatenated(splits: Sequence[Split]) -> Split:
  """Returns different splits as one; of one alone it is that."""
  once = list(dict.fromkeys(splits))
  if len(once) == 1:
    return once[0]
  labels = np.concatenate([split.labels for split in once])
  return Split(np.concatenate([split.fetch(np.arange(len(split))) for split in once]), labels)


def _places(splits: Sequence[Split]) -> list[int]:
  """Returns where each of some splits begins in `_concatenated`."""
  once = list(dict.fromkeys(splits))
  stops = np.cumsum([len(split) for split in once])
  return [int(stops[once.index(split)]) - len(split) for split in splits]
