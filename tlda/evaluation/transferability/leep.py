"""LEEP: how well the source model's own classes foretell those of the target."""

import numpy as np
from jax.typing import ArrayLike

from tlda.errors import UserError
from tlda.evaluation.transferability._arrays import checked

_SUM = 1e-3  # by which float16 probabilities of a thousand classes may miss 1


def leep(source_probabilities: ArrayLike, labels: ArrayLike) -> float:
  """Computes the log expected empirical prediction.

  Nguyen, Hassner, Seeger, Archambeau, *LEEP: A new measure to evaluate transferability of learned
  representations* (ICML 2020), equation 2: the mean log probability of the labels under the
  classifier that draws a source class z by the source model and then a label by the empirical
  `p(y | z)`.

  Args:
    source_probabilities: `[examples, source classes]`, what the source model (with its own head)
      says of the target's examples; rows sum to 1.
    labels: int `[examples]`, of at least 2 classes.

  Returns:
    A number of nats, at most 0; bigger is better.

  Raises:
    UserError: The arrays do not fit, rows are no probabilities, or there is one class only.
  """
  given, labels = checked(source_probabilities, labels, name='source probabilities')
  if given.min() < 0 or np.abs(given.sum(1) - 1).max() > _SUM:
    raise UserError('the source probabilities are negative or do not sum to 1')
  joint = np.eye(labels.max() + 1)[labels].T @ given  # [classes, source classes], n p(y, z)
  mass = joint.sum(0)
  conditional = np.divide(joint, mass, out=np.zeros_like(joint), where=mass > 0)
  return float(np.log((conditional[labels] * given).sum(1)).mean())
