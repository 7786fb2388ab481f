"""For each seed, the state of the step that a selection rule chose."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from tlda.evaluation.selection import LAST, SCORES
from tlda.training import seeds as seeds_lib
from tlda.training.checkpoint import Checkpoints, unflatten
from tlda.training.state import TrainState


class Chosen:
  """The best states so far, of which each seed's may be of another step; on disk, so as to resume.

  By the rule 'last' there is nothing to keep: it is the last checkpoint.
  """

  def __init__(self, folder: Path, rule: str) -> None:
    """Opens the folder, unless the rule is 'last'.

    Args:
      folder: Of the one checkpoint that is kept.
      rule: One of `evaluation.selection.rules()`.
    """
    self._score = SCORES.get(rule)
    self._kept = None if rule == LAST else Checkpoints(folder, keep=1)

  def offer(
    self,
    step: int,
    record: Mapping[str, Any],
    states: Sequence[TrainState],
    *,
    together: bool,
  ) -> None:
    """Keeps the state of every seed whose score is at least as high as any before.

    A resumed run offers again what it had offered: of a step that was seen before, nothing is
    taken twice, since the states are the same.

    Args:
      step: The steps that were done.
      record: What was measured at this step: lists with one number a seed.
      states: Of all seeds.
      together: Whether the seeds run together.
    """
    if self._kept is None:
      return
    scores = np.asarray(record[self._score])
    stacked = seeds_lib.stack(states, together=together)
    found = self._kept.latest()
    if found is not None:
      at, arrays, note = found
      if at >= step:
        return
      better = scores >= np.asarray(note['scores'])
      if not better.any():
        return
      scores = np.where(better, scores, note['scores'])
      pick = lambda new, old: np.where(better.reshape(-1, *[1] * (new.ndim - 1)), new, old)
      stacked = jax.tree.map(pick, stacked, unflatten(arrays, stacked))
    self._kept.save(step, stacked, {'scores': scores.tolist()})

  def close(self) -> None:
    """Waits for what is being written."""
    if self._kept is not None:
      self._kept.close()
