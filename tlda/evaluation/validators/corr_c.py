"""Softmax correlation."""

import numpy as np

from tlda.evaluation.validators._arrays import softmax


def corr_c(target_train_logits: np.ndarray) -> float:
  """Returns how like the identity the correlation of predicted classes is: a cosine in [0, 1].

  Tu, Deng, Gedeon, Zheng, *Assessing model out-of-distribution generalization with softmax
  prediction probability baselines and a correlation method* (2022), SoftmaxCorr: with the
  probabilities P, the cosine between P^T P / n and the identity matrix, `trace / (norm *
  sqrt(classes))`. It is 1 for sure predictions of all classes alike.

  Args:
    target_train_logits: `[n, classes]`.
  """
  probabilities = softmax(target_train_logits)
  correlation = probabilities.T @ probabilities
  return float(np.trace(correlation) / np.linalg.norm(correlation) / np.sqrt(len(correlation)))
