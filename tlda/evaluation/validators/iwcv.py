"""Importance-weighted validation."""

import numpy as np

from tlda.evaluation.validators._arrays import cross_entropies


def iwcv(
  source_test_logits: np.ndarray, source_test_labels: np.ndarray, source_test_weights: np.ndarray
) -> float:
  """Returns minus the importance-weighted risk on held-out examples of the source, in nats.

  Sugiyama, Krauledat, Mueller, *Covariate shift adaptation by importance weighted cross validation*
  (JMLR 2007), with one held-out set for the folds, since networks are not trained again. The
  paper's weights are ratios of densities of inputs; here, as in DEV, of features.

  Args:
    source_test_logits: `[n, classes]`.
    source_test_labels: int `[n]`.
    source_test_weights: `[n]`, target density / source density.
  """
  losses = cross_entropies(source_test_logits, source_test_labels)
  return -float((source_test_weights * losses).mean())
