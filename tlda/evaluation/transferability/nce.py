"""NCE: what the source model's decisions leave unknown of the target's labels."""

import numpy as np
from jax.typing import ArrayLike

from tlda.errors import UserError
from tlda.evaluation.transferability._arrays import checked, places_of


def nce(source_labels: ArrayLike, labels: ArrayLike) -> float:
  """Computes the negative conditional entropy of labels, given the source model's decisions.

  Tran, Nguyen, Hassner, *Transferability and hardness of supervised classification tasks* (ICCV
  2019): `-H(Y | Z)` of the empirical joint distribution.

  Args:
    source_labels: int `[examples]`, the source class that the source model decides for.
    labels: int `[examples]`, of at least 2 classes.

  Returns:
    A number of nats in [-log(classes), 0]; bigger is better.

  Raises:
    UserError: The arrays do not fit, or there is one class only.
  """
  decided = places_of(source_labels, 'source labels')
  if len(decided) != np.size(labels):
    raise UserError(f'there are {len(decided)} source labels and {np.size(labels)} labels')
  given, labels = checked(np.eye(decided.max() + 1)[decided], labels, name='source labels')
  counts = np.eye(labels.max() + 1)[labels].T @ given
  shares = counts / counts.sum(0)  # p(y | z); every z was decided for at least once
  logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
  return float((counts * logs).sum() / len(labels))
