"""H-score: how much of the features' variance is between classes."""

import numpy as np
from jax.typing import ArrayLike
from sklearn.covariance import ledoit_wolf_shrinkage

from tlda.evaluation.transferability._arrays import checked, class_means

_RANK = 1e-10  # of the greatest eigenvalue: below, a direction has no variance


def h_score(features: ArrayLike, labels: ArrayLike, *, shrinkage: bool = False) -> float:
  """Computes the H-score: `trace(cov(f)^-1 cov(E[f | y]))`.

  Bao, Li, Huang, Zhang, Zheng, Zamir, Guibas, *An information-theoretic approach to
  transferability in task transfer learning* (ICIP 2019). Directions without variance are left out
  (the pseudo-inverse). With more features than examples it says nothing: it is classes - 1 for any
  features. There the shrunken one of Ibrahim, Ponomareva, Mazumder, *Newer is not always better:
  rethinking transferability metrics* (ECML 2022) still does:
  `(1 - s) trace(cov_s(f)^-1 cov(E[f | y]))`, where `cov_s` is drawn to a multiple of the identity
  by the share s of Ledoit and Wolf (2004).

  Args:
    features: `[examples, d]`, finite.
    labels: int `[examples]`, of at least 2 classes.
    shrinkage: Whether the covariance is the shrunken one.

  Returns:
    A number in [0, min(classes - 1, d)]; bigger is better.

  Raises:
    UserError: The arrays do not fit, or there is one class only.
  """
  features, labels = checked(features, labels)
  features = features - features.mean(0)
  means, counts = class_means(features, labels)
  covariance = features.T @ features / len(features)
  between = np.sqrt(counts / len(features))[:, None] * means
  share = 0.0
  if shrinkage and covariance.any():
    share = float(ledoit_wolf_shrinkage(features, assume_centered=True))
    mean_variance = np.trace(covariance) / len(covariance)
    covariance = (1 - share) * covariance + share * mean_variance * np.eye(len(covariance))
  values, vectors = np.linalg.eigh(covariance)
  kept = values > _RANK * max(values[-1], 0)
  along = between @ vectors[:, kept]
  return float((1 - share) * (along**2 / values[kept]).sum())
