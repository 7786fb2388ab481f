"""Deep embedded validation."""

import numpy as np

from tlda.evaluation.validators._arrays import cross_entropies


def dev(
  source_test_logits: np.ndarray, source_test_labels: np.ndarray, source_test_weights: np.ndarray
) -> float:
  """Returns minus the importance-weighted risk of the source, its variance reduced, in nats.

  You, Wang, Long, Jordan, *Towards accurate model selection in deep unsupervised domain adaptation*
  (ICML 2019): the weights have mean 1, so that they are a control variate. With the
  weighted losses L and the weights W, the risk is `mean(L) + eta mean(W) - eta`, where
  `eta = -cov(L, W) / var(W)`; it is the plain mean where all weights are alike. The loss is the
  cross-entropy here, which has no upper bound (in the authors' code one between 0 and 1).

  Args:
    source_test_logits: `[n, classes]`.
    source_test_labels: int `[n]`.
    source_test_weights: `[n]`, target density / source density in the space of features.
  """
  weights = np.asarray(source_test_weights, np.float64)
  losses = weights * cross_entropies(source_test_logits, source_test_labels)
  variance = weights.var()
  covariance = ((losses - losses.mean()) * (weights - weights.mean())).mean()
  eta = -covariance / variance if variance > 0 else 0.0
  return -float(losses.mean() + eta * weights.mean() - eta)
