"""Domains that were published without a test set: one example in five of each class is held out.

The papers of these domains adapt to the very images that they measure on (the transductive
protocol). With `/all` at its end, a domain's name asks for that: every example trains and tests.
"""

from collections.abc import Iterable

import numpy as np

from tlda.data import labels as labels_lib
from tlda.data.domains import Domain, Inputs, Split
from tlda.data.rows import take

ALL = '/all'


def variants(names: Iterable[str]) -> tuple[str, ...]:
  """Returns the names of domains without a test set, then these with `/all` at their end."""
  names = tuple(names)
  return names + tuple(name + ALL for name in names)


def domain(
  name: str, inputs: Inputs, labels: np.ndarray, classes: tuple[str, ...], licence: str
) -> Domain:
  """Makes a domain of examples that have no split of their own.

  Args:
    name: With `/all` at its end, both splits are all the examples; else every fifth example of each
      class, in order, is held out to test with.
    inputs: `[n, ...]`.
    labels: `[n]` integers.
    classes: The name of each class.
    licence: The terms of use.

  Returns:
    The domain; lazy inputs stay lazy.

  Raises:
    UserError: The labels are not one class for each example.
  """
  targets = labels_lib.checked(labels, len(inputs), name)
  labels_lib.in_range([targets], len(classes), name)
  if name.endswith(ALL):
    whole = Split(inputs, targets)
    return Domain(name, whole, whole, classes, licence)
  parts = [Split(take(inputs, r), targets[r]) for r in labels_lib.held_out(targets, name)]
  return Domain(name, *parts, classes, licence)
