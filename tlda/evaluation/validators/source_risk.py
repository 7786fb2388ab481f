"""The source's risk: what a validation set of the source says."""

import numpy as np

from tlda.evaluation.validators._arrays import cross_entropies


def source_risk(source_test_logits: np.ndarray, source_test_labels: np.ndarray) -> float:
  """Returns minus the mean cross-entropy on held-out examples of the source, in nats.

  The validator of Ganin and Lempitsky, *Unsupervised domain adaptation by backpropagation* (2015),
  and of most papers that name one. It sees nothing of the target.

  Args:
    source_test_logits: `[n, classes]`.
    source_test_labels: int `[n]`.
  """
  return -float(cross_entropies(source_test_logits, source_test_labels).mean())
