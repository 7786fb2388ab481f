"""The base of all shallow baselines: what they are given, and what of it is refused."""

import abc
import dataclasses
import math
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from tlda.errors import UserError


@dataclasses.dataclass(frozen=True)
class Problem:
  """Labelled source examples, and target examples without labels.

  Attributes:
    source: float64 `[source examples, features]`.
    labels: int `[source examples]`, each from 0 to `classes` - 1 at least once.
    target: float64 `[target examples, features]`, to adapt to.
    test: float64 `[test examples, features]`, to predict.
    classes: How many there are.
  """

  source: jax.Array
  labels: jax.Array
  target: jax.Array
  test: jax.Array
  classes: int

  def one_hot(self) -> jax.Array:
    """Returns the labels as rows of zeros and a one, `[source examples, classes]`."""
    return jax.nn.one_hot(self.labels, self.classes, dtype=self.source.dtype)


@dataclasses.dataclass(frozen=True)
class Shallow(abc.ABC):
  """A baseline that learns no features: one linear problem, solved at once.

  A subclass adds its settings as fields, each with a default and a line under `Attributes:` (they
  become flags), and overrides `scores`. It computes in float64: eigenvectors and the order of near
  neighbours decide what it predicts, and float32 would change some.

  Class attributes:
    transductive: Whether it answers the test examples together, and adapts to nothing else: there
      is no rule for an example that comes later.
  """

  transductive: ClassVar[bool] = False

  def predict(self, source: Any, labels: Any, target: Any, test: Any = None) -> np.ndarray:
    """Adapts to the target and scores test examples.

    Args:
      source: `[source examples, features]`, finite.
      labels: int `[source examples]`, 0 or above, of at least two classes.
      target: `[target examples, features]`, finite; no labels.
      test: `[test examples, features]`; None: those of the target (the transductive protocol).

    Returns:
      float64 `[test examples, largest label + 1]`: the largest of a row is the predicted class.
      Classes without a source example have minus infinity.

    Raises:
      UserError: The arrays do not fit together or are not finite, there is one class only, or a
        setting does not fit them.
    """
    test = target if test is None else test
    arrays = dict(zip(('source', 'target', 'test'), (source, target, test), strict=True))
    arrays = {name: _matrix(name, array) for name, array in arrays.items()}
    widths = {name: array.shape[1] for name, array in arrays.items()}
    if len(set(widths.values())) > 1:
      described = ', '.join(f'{width} in the {name}' for name, width in widths.items())
      raise UserError(f'the domains have different numbers of features: {described}')
    labels = _labels(labels, len(arrays['source']))
    known, compact = np.unique(labels, return_inverse=True)
    with jax.enable_x64(True):
      problem = Problem(
        labels=jnp.asarray(compact),
        classes=len(known),
        **{name: jnp.asarray(array) for name, array in arrays.items()},
      )
      scores = np.asarray(self.scores(problem))
    whole = np.full((len(scores), known[-1] + 1), -np.inf)
    whole[:, known] = scores
    return whole

  @abc.abstractmethod
  def scores(self, problem: Problem) -> jax.Array:
    """Returns the scores of the test examples, `[test examples, classes]`; larger is likelier.

    Raises:
      UserError: A setting does not fit the problem.
    """


def check_dimension(dimension: int, most: int, what: str) -> None:
  """Refuses a number of dimensions that the data do not have.

  Raises:
    UserError: It is below 1 or above `most`.
  """
  if not 1 <= dimension <= most:
    raise UserError(f'a dimension of {dimension} cannot be had of {what}: 1 to {most} can')


def check_positive(name: str, value: float) -> None:
  """Refuses a setting that must be above 0, and finite.

  Raises:
    UserError: It is not.
  """
  if not 0 < value < math.inf:
    raise UserError(f'{name} must be above 0, not {value}')


def check_count(name: str, value: int) -> None:
  """Refuses a count below 1.

  Raises:
    UserError: It is.
  """
  if value < 1:
    raise UserError(f'{name} must be 1 or above, not {value}')


def _matrix(name: str, array: Any) -> np.ndarray:
  array = np.asarray(array, np.float64)
  if array.ndim != 2 or not array.size:
    raise UserError(f'the {name} must be vectors [examples, features], not {array.shape}')
  if not np.isfinite(array).all():
    raise UserError(f'the {name} holds numbers that are not finite')
  return array


def _labels(labels: Any, examples: int) -> np.ndarray:
  labels = np.asarray(labels)
  if labels.shape != (examples,) or labels.dtype.kind not in 'iu' or labels.min() < 0:
    raise UserError(f'there must be one class, 0 or above, for each of {examples} source examples')
  if labels.min() == labels.max():
    raise UserError('all source examples are of one class: there is nothing to tell apart')
  return labels
