"""How sure predictions are."""

import numpy as np

from tlda.evaluation.validators._arrays import entropies, softmax


def entropy(target_train_logits: np.ndarray) -> float:
  """Returns minus the mean entropy of the target's predictions, in nats: 0 where all are sure.

  Morerio, Cavazza, Murino, *Minimal-entropy correlation alignment for unsupervised deep domain
  adaptation* (ICLR 2018). A network that is sure of one class for all scores best.

  Args:
    target_train_logits: `[n, classes]`.
  """
  return -float(entropies(softmax(target_train_logits)).mean())
