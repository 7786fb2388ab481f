"""What several networks say together, and what one says that has the mean of their weights."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tlda.errors import UserError, nearest

COMBINATIONS = ('probabilities', 'logits')

Member = TypeVar('Member')


def combine(logits: NDArray, how: str = 'probabilities') -> NDArray:
  """Returns what an ensemble predicts.

  Lakshminarayanan, Pritzel, Blundell: *Simple and Scalable Predictive Uncertainty Estimation using
  Deep Ensembles* (NeurIPS 2017) take the mean of probabilities; that of logits is their geometric
  mean, to a factor.

  Args:
    logits: `[members, examples, classes]`, unnormalised log-probabilities.
    how: Of what the mean is taken: 'probabilities' or 'logits'.

  Returns:
    `[examples, classes]` probabilities, float64.

  Raises:
    UserError: There is no such combination.
  """
  if how not in COMBINATIONS:
    raise UserError(nearest('combination', how, COMBINATIONS))
  logits = np.asarray(logits, np.float64)
  if how == 'logits':
    return _softmax(logits.mean(axis=0))
  return _softmax(logits).mean(axis=0)


def accuracies(logits: NDArray, labels: NDArray) -> NDArray:
  """Returns the accuracy of each member, `[members]`.

  Args:
    logits: `[members, examples, classes]`.
    labels: int `[examples]`.
  """
  return (np.argmax(logits, axis=2) == labels).mean(axis=1)


def disagreement(logits: NDArray) -> NDArray:
  """Returns how often two members predict unlike classes.

  Args:
    logits: `[members, examples, classes]`.

  Returns:
    `[members, members]` shares of the examples, symmetric, 0 on the diagonal.
  """
  predicted = np.argmax(logits, axis=2)
  return (predicted[:, None] != predicted[None]).mean(axis=2)


def greedy_soup(
  members: Sequence[Member], scores: Sequence[float], score: Callable[[list[Member]], float]
) -> list[int]:
  """Chooses which networks' weights to average.

  Wortsman et al.: *Model soups: averaging weights of multiple fine-tuned models improves accuracy
  without increasing inference time* (ICML 2022), recipe 1: from the best on, each is added if the
  mean with it is at least as good on held-out examples.

  Args:
    members: The networks.
    scores: Held-out accuracy of each alone.
    score: Held-out accuracy of the mean of some.

  Returns:
    The places of those that are in the soup, in the order in which they came.
  """
  order = sorted(range(len(members)), key=lambda place: -scores[place])
  chosen, best = order[:1], scores[order[0]]
  for place in order[1:]:
    found = score([members[own] for own in (*chosen, place)])
    if found >= best:
      chosen, best = [*chosen, place], found
  return chosen


def _softmax(logits: NDArray) -> NDArray:
  shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
  return shifted / shifted.sum(axis=-1, keepdims=True)
