"""Batch nuclear norm."""

import numpy as np

from tlda.evaluation.validators._arrays import softmax


def bnm(target_train_logits: np.ndarray) -> float:
  """Returns the nuclear norm of the matrix of the target's predictions, divided by their number.

  Cui, Wang, Zhuo, Li, Huang, Tian, *Towards discriminability and diversity: batch nuclear-norm
  maximization under label insufficient situations* (CVPR 2020); as a validator in Musgrave,
  Belongie, Lim (2022). At most about sqrt(classes / n), for sure predictions of all classes alike:
  compare where n is the same.

  Args:
    target_train_logits: `[n, classes]`.
  """
  return float(np.linalg.norm(softmax(target_train_logits), 'nuc') / len(target_train_logits))
