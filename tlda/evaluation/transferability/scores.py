"""The scores by their names, and what each looks at."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from jax.typing import ArrayLike

from tlda.evaluation.transferability.h_score import h_score
from tlda.evaluation.transferability.leep import leep
from tlda.evaluation.transferability.log_me import log_me
from tlda.evaluation.transferability.nce import nce
from tlda.evaluation.transferability.nearest_neighbours import knn_accuracy
from tlda.evaluation.transferability.trans_rate import trans_rate


class Score(NamedTuple):
  """A score of a source model for a target, bigger for a better one.

  Attributes:
    function: `(array, labels [examples]) -> float`.
    needs: What the array is, one row a target example: 'features', 'source_probabilities' (of the
      source model with its own head) or 'source_labels' (the most probable of these).
    fewest: The examples of each class without which it cannot be had.
  """

  function: Callable[[ArrayLike, ArrayLike], float]
  needs: str
  fewest: int = 1


SCORES = {
  'log_me': Score(log_me, 'features'),
  'leep': Score(leep, 'source_probabilities'),
  'nce': Score(nce, 'source_labels'),
  'h_score': Score(h_score, 'features'),
  'h_score_shrunken': Score(partial(h_score, shrinkage=True), 'features'),
  'trans_rate': Score(trans_rate, 'features'),
  'knn_accuracy': Score(knn_accuracy, 'features', fewest=2),
}


def names() -> list[str]:
  """Returns the names of all scores, sorted."""
  return sorted(SCORES)


def measure(
  labels: ArrayLike, features: ArrayLike, source_probabilities: ArrayLike | None = None
) -> dict[str, float]:
  """Computes every score of one source model that its outputs, and the examples, allow.

  Args:
    labels: int `[examples]` of the target's training examples.
    features: `[examples, d]`, what the source model makes of them.
    source_probabilities: `[examples, source classes]`, where it has a head of its own.

  Returns:
    Scores by name; bigger is better for each.

  Raises:
    UserError: An array does not fit.
  """
  given = {'features': features}
  if source_probabilities is not None:
    decided = np.asarray(source_probabilities).argmax(-1)
    given |= {'source_probabilities': source_probabilities, 'source_labels': decided}
  counts = np.unique(labels, return_counts=True)[1]
  rarest = counts.min(initial=len(np.asarray(labels)))
  return {
    name: score.function(given[score.needs], labels)
    for name, score in SCORES.items()
    if score.needs in given and rarest >= score.fewest
  }
