"""What the target error is made of: source error, divergence, and what no classifier can mend."""

from typing import NamedTuple

import numpy as np
from jax.typing import ArrayLike
from sklearn.preprocessing import StandardScaler

from tlda.evaluation.divergences._samples import checked
from tlda.evaluation.divergences.ridge import ridge


class ErrorBound(NamedTuple):
  """The terms of theorem 2 of Ben-David et al., *A theory of learning from different domains*.

  It says that the target error is at most the sum of the first three, but for samples being finite
  (2010). Here the terms are estimates: the divergence is that which linear classifiers see, so
  that the sum is a guide and no guarantee. Target labels explain a finished run; nothing is chosen
  by them.

  Attributes:
    source_error: Of the network.
    divergence: Half of the proxy A-distance, in [0, 1].
    joint_error: Of the ideal classifier of both domains, as `joint_error` estimates it.
    bound: The sum of these three.
    target_error: Of the network.
  """

  source_error: float
  divergence: float
  joint_error: float
  bound: float
  target_error: float


def error_bound(
  source_error: float, a_distance: float, joint_error: float, target_error: float
) -> ErrorBound:
  """Returns the terms with their sum.

  Args:
    source_error: Of the network, in [0, 1].
    a_distance: The proxy A-distance of its features, in [0, 2].
    joint_error: Of its features, as `joint_error` estimates it, in [0, 2].
    target_error: Of the network, in [0, 1].
  """
  bound = source_error + a_distance / 2 + joint_error
  return ErrorBound(source_error, a_distance / 2, joint_error, bound, target_error)


def joint_error(
  source_features: ArrayLike,
  source_labels: ArrayLike,
  target_features: ArrayLike,
  target_labels: ArrayLike,
  seed: int = 0,
) -> float:
  """Estimates the error of the ideal joint classifier, on source plus on target.

  The lambda of Ben-David et al. (2010): `min_h error_source(h) + error_target(h)`. One linear
  classifier (ridge regression of the classes, its strength by leave-one-out) learns standardised
  features of half of each domain with their labels; counted are its errors on the other halves. It
  is large where features lost the classes, or have them in one place in one domain and in another
  in the other.

  Args:
    source_features: `[n, d]`, finite; at least 2 rows.
    source_labels: int `[n]`.
    target_features: `[m, d]`, finite; at least 2 rows.
    target_labels: int `[m]`.
    seed: Of the split into halves.

  Returns:
    A number in [0, 2].

  Raises:
    ValueError: A domain has fewer than 2 examples, or features are not finite or do not match.
  """
  random = np.random.default_rng(seed)
  domains = checked(source_features, target_features)
  train, test = [], []
  for features, own in zip(domains, (source_labels, target_labels), strict=True):
    labels, order = np.asarray(own), random.permutation(len(features))
    for part, rows in zip((train, test), np.array_split(order, 2), strict=True):
      part.append((features[rows], labels[rows]))
  features, labels = map(np.concatenate, zip(*train, strict=True))
  scaler, classes = StandardScaler().fit(features), np.unique(labels)
  rows = scaler.transform(features)
  weights, offset = ridge(rows @ rows.T, np.asarray(labels[:, None] == classes, np.float64))
  scores = [scaler.transform(x) @ rows.T @ weights + offset for x, _ in test]
  told = [classes[own.argmax(axis=1)] for own in scores]
  return float(sum(np.mean(own != labels) for own, (_, labels) in zip(told, test, strict=True)))
