"""Sure predictions of many classes."""

import numpy as np

from tlda.evaluation.validators.diversity import diversity
from tlda.evaluation.validators.entropy import entropy


def information_maximization(target_train_logits: np.ndarray) -> float:
  """Returns the mutual information of the target's inputs and predicted classes, in nats.

  The entropy of the mean prediction less the mean entropy of the predictions: Bridle, Heading,
  MacKay, *Unsupervised classifiers, mutual information and "phantom targets"* (1991); as a
  validator in Musgrave, Belongie, Lim, *PyTorch Adapt* (2022, https://arxiv.org/abs/2211.15673).
  In [0, log(classes)].

  Args:
    target_train_logits: `[n, classes]`.
  """
  return diversity(target_train_logits) + entropy(target_train_logits)
