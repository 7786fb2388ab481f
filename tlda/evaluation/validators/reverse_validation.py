"""Reverse validation."""

import numpy as np
from sklearn.linear_model import RidgeClassifier
from sklearn.preprocessing import StandardScaler

from tlda.evaluation.validators._arrays import narrowed


def reverse_validation(
  source_test_features: np.ndarray,
  source_test_labels: np.ndarray,
  target_train_features: np.ndarray,
  target_train_logits: np.ndarray,
) -> float:
  """Returns the accuracy on the source of a classifier that learned from the target's predictions.

  Zhong, Fan, Yang, Verscheure, Ren, *Cross validation framework to choose amongst models and
  datasets for transfer learning* (ECML 2010), and Ganin et al., *Domain-adversarial training of
  neural networks* (JMLR 2016): target examples with the labels that the network gives them train
  the way back, which is measured on held-out labels of the source. In the papers the way back is
  the whole method again; here, so that every checkpoint can be scored, it is a ridge classifier
  (strength 1) on the checkpoint's own features, standardised (at most 128 random projections of
  them).

  Args:
    source_test_features: `[n, d]`.
    source_test_labels: int `[n]`.
    target_train_features: `[m, d]`.
    target_train_logits: `[m, classes]`.

  Returns:
    In [0, 1]; where all target examples get one class, the share of that class in the source.
  """
  given = np.asarray(target_train_logits).argmax(axis=1)
  if (given == given[0]).all():
    return float(np.mean(source_test_labels == given[0]))
  target, source = narrowed(target_train_features), narrowed(source_test_features)
  scaler = StandardScaler().fit(target)
  machine = RidgeClassifier(alpha=1.0).fit(scaler.transform(target), given)
  predicted = machine.predict(scaler.transform(source))
  return float(np.mean(predicted == source_test_labels))
