"""NumPy references of the losses: one module for each module of `tlda.losses`, by the same name.

For each loss of its namesake, a module here has

* a function of the same name and arguments, in float64 NumPy, written another way than the loss;
* `MINIMA[name]`, the minimum that the docstring states, and arguments that reach it;

and where it is needed

* `SETTINGS[name]`, keyword arguments to test with, `[{}]` if there are none;
* `STOPPED[name]`, the arguments that get no gradient by intention;
* `HELD[name]`, `(**arguments) -> keyword arguments of the reference`: what the loss computes of
  its arguments and holds constant in its gradient (a bandwidth, a plan), to be held in slopes too;
* `ARGUMENTS[argument]`, how to draw an argument that the table below does not know.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

# All different, so that two dimensions of one size are meant to agree. Of paired rows, all rows are
# 'batch' rows.
SIZES = {'batch': 6, 'source': 7, 'target': 9, 'classes': 5, 'features': 4}


class Minimum(NamedTuple):
  """A loss's minimum at `SIZES`, and arguments that reach it (none where it is minus infinity)."""

  value: float
  arguments: dict[str, Any] = {}


class Argument(NamedTuple):
  """How to draw an argument.

  Attributes:
    rows: What its rows are, a key of `SIZES`; None where it has none. Arguments with the same rows
      are reordered together.
    draw: `(generator, sizes)` to a float64 or integer array.
    real: Whether it may be any real number, and so be scaled.
  """

  rows: str | None
  draw: Callable[[np.random.Generator, dict[str, int]], Any]
  real: bool = False


def one_hot(labels: np.ndarray, classes: int = SIZES['classes']) -> np.ndarray:
  """Returns `[batch, classes]` float64."""
  return np.eye(classes)[labels]


def _normal(rows: str, columns: str | None = None) -> Argument:
  shape = (rows, columns) if columns else (rows,)
  return Argument(rows, lambda rng, size: rng.normal(size=[size[n] for n in shape]), real=True)


def _labels(rows: str) -> Argument:
  return Argument(rows, lambda rng, size: rng.integers(0, size['classes'], size[rows]))


def _weights(rows: str) -> Argument:
  return Argument(rows, lambda rng, size: rng.uniform(0.5, 1.5, size[rows]))


def _probabilities(rows: str) -> Argument:
  return Argument(rows, lambda rng, size: rng.dirichlet(np.ones(size['classes']), size[rows]))


def _table() -> dict[str, Argument]:
  table = {
    'key': Argument(None, lambda rng, size: jax.random.key(rng.integers(1000))),
    'centroids': _normal('classes', 'features'),
    'source': _normal('source', 'features'),
    'target': _normal('target', 'features'),
  }
  prefixes = dict.fromkeys(('', 'student_', 'teacher_', 'weak_', 'strong_'), 'batch')
  for prefix, rows in (prefixes | {'source_': 'source', 'target_': 'target'}).items():
    table[f'{prefix}logits'] = _normal(rows, 'classes')
    table[f'{prefix}features'] = _normal(rows, 'features')
    table[f'{prefix}domain_logits'] = _normal(rows)
    table[f'{prefix}labels'] = _labels(rows)
    table[f'{prefix}weights'] = _weights(rows)
    table[f'{prefix}probabilities'] = _probabilities(rows)
  return table


ARGUMENTS = _table()
