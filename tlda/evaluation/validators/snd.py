"""Soft neighbourhood density."""

import numpy as np

from tlda.evaluation.validators._arrays import softmax

TEMPERATURE = 0.05  # The paper's, for every data set.


def snd(target_train_logits: np.ndarray) -> float:
  """Returns how many like neighbours the target's predictions have: the mean log of their number.

  Saito, Kim, Teterwak, Sclaroff, Darrell, Saenko, *Tune it the right way: unsupervised validation
  of domain adaptation via soft neighborhood density* (ICCV 2021): softmax outputs are scaled to
  length 1; each one's products with all others, divided by 0.05, are made a distribution over the
  others, whose entropy is the density of its neighbourhood. In [0, log(n - 1)], and greater of more
  examples: compare where n is the same. A network that predicts one class for all scores best.

  Args:
    target_train_logits: `[n, classes]`, at least 2 rows.
  """
  rows = softmax(target_train_logits)
  rows /= np.linalg.norm(rows, axis=1, keepdims=True)
  # Products are at most 1: so their exponentials are at most 1, and not all 0.
  similarity = (rows @ rows.T - 1) / TEMPERATURE
  likely = np.exp(similarity)
  np.fill_diagonal(likely, 0)
  total = likely.sum(axis=1)
  return float(np.mean(np.log(total) - (likely * similarity).sum(axis=1) / total))
