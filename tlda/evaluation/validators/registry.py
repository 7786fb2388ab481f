"""The validators by their names, what each sees, and the scores of them all at once."""

import functools
import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from tlda.evaluation.validators.a_distance import a_distance
from tlda.evaluation.validators.bnm import bnm
from tlda.evaluation.validators.class_confusion import class_confusion
from tlda.evaluation.validators.corr_c import corr_c
from tlda.evaluation.validators.density_ratio import density_ratio
from tlda.evaluation.validators.dev import dev
from tlda.evaluation.validators.diversity import diversity
from tlda.evaluation.validators.entropy import entropy
from tlda.evaluation.validators.information_maximization import information_maximization
from tlda.evaluation.validators.iwcv import iwcv
from tlda.evaluation.validators.mixval import mixval
from tlda.evaluation.validators.reverse_validation import reverse_validation
from tlda.evaluation.validators.snd import snd
from tlda.evaluation.validators.source_risk import source_risk

Validator = Callable[..., float]
Seen = Mapping[str, np.ndarray]

# Everything that a validator may be handed, by the name of its argument. Labels are the source's:
# there is no name for a label of the target.
VIEWS = frozenset(
  {
    'source_train_features',
    'source_test_features',
    'source_test_logits',
    'source_test_labels',
    'target_train_features',
    'target_train_logits',
    'target_train_partner_logits',
    'target_train_mixed_logits',
  }
)
# What is computed of these, once for all that ask for it.
DERIVED = {'source_test_weights': density_ratio}
VALIDATORS: Mapping[str, Validator] = {
  function.__name__: function
  for function in (
    a_distance,
    bnm,
    class_confusion,
    corr_c,
    dev,
    diversity,
    entropy,
    information_maximization,
    iwcv,
    mixval,
    reverse_validation,
    snd,
    source_risk,
  )
}
# The score of a checkpoint that cannot be scored, as where a feature is not finite.
WORST = -1e9


def names() -> list[str]:
  """Returns the names of all validators, sorted."""
  return sorted(VALIDATORS)


def sees(name: str) -> frozenset[str]:
  """Returns which of `VIEWS` a validator is handed: its arguments, or what these are made of."""
  return _seen_by(VALIDATORS[name])


def score_all(chosen: Iterable[str], seen: Seen) -> dict[str, float]:
  """Scores one checkpoint by several validators, each of which is handed what it declares.

  Args:
    chosen: Their names.
    seen: The arrays by their names in `VIEWS`: at least what these validators see.

  Returns:
    Scores by name: the higher, the better. Never below `WORST`, which is that of a checkpoint that
    cannot be scored: no validator breaks a training.
  """
  known = dict(seen)
  # Several threads are of no use to matrices so small, and slow where cores are shared.
  with _threads().limit(limits=1, user_api='blas'):
    return {name: _score(VALIDATORS[name], known) for name in chosen}


@functools.cache
def _threads() -> ThreadpoolController:
  return ThreadpoolController()


def _score(function: Validator, known: dict[str, np.ndarray]) -> float:
  if not all(np.isfinite(known[view]).all() for view in _seen_by(function)):
    return WORST
  try:
    value = function(**_arguments(function, known))
  except (ArithmeticError, ValueError):  # Too few examples or classes; no solution (LinAlgError).
    return WORST
  return max(float(value), WORST) if math.isfinite(value) else WORST


def _arguments(function: Callable[..., Any], known: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
  """Returns what a function is handed; what has to be computed is kept among the known."""
  asked = inspect.signature(function).parameters
  for name in asked:
    if name not in known:
      known[name] = DERIVED[name](**_arguments(DERIVED[name], known))
  return {name: known[name] for name in asked}


def _seen_by(function: Callable[..., Any]) -> frozenset[str]:
  asked = frozenset(inspect.signature(function).parameters)
  below = [_seen_by(DERIVED[name]) for name in asked & DERIVED.keys()]
  return frozenset().union(asked - DERIVED.keys(), *below)
