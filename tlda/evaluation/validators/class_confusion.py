"""Minimum class confusion."""

import numpy as np

from tlda.evaluation.validators._arrays import entropies, softmax

TEMPERATURE = 2.5  # The paper's.


def class_confusion(target_train_logits: np.ndarray) -> float:
  """Returns minus the confusion of classes in the target's predictions, at most 0.

  Jin, Wang, Long, Wang, *Minimum class confusion for versatile domain adaptation* (ECCV 2020):
  with the probabilities Y at a temperature of 2.5, and weights W of
  `1 + exp(-entropy)`, the mean over rows of what lies off the diagonal of Y^T W Y, each row divided
  by its sum. There it is a loss.

  Args:
    target_train_logits: `[n, classes]`.
  """
  sure = softmax(np.asarray(target_train_logits) / TEMPERATURE)
  weights = 1 + np.exp(-entropies(sure))
  confusion = (sure * weights[:, None]).T @ sure
  # A class without any probability has nothing on the diagonal either: the bound avoids 0 / 0.
  rows = np.maximum(confusion.sum(axis=1), 1e-12)
  return float(np.mean(np.diagonal(confusion) / rows)) - 1
