"""How many classes predictions are of."""

import numpy as np

from tlda.evaluation.validators._arrays import entropies, softmax


def diversity(target_train_logits: np.ndarray) -> float:
  """Returns the entropy of the target's mean prediction, in nats.

  The other half of information maximisation, alone: a validator of Musgrave, Belongie, Lim,
  *PyTorch Adapt* (2022, https://arxiv.org/abs/2211.15673). It is log(classes) where all classes are
  predicted alike, however unsure each prediction is.

  Args:
    target_train_logits: `[n, classes]`.
  """
  return float(entropies(softmax(target_train_logits).mean(axis=0)))
