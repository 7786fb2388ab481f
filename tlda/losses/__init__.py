"""Losses: plain functions of arrays. One file for each family, one line here for each loss.

A loss knows nothing of devices: one that looks at a batch as a whole is given the rows of all
devices. Each says in its docstring which kind it is, and its minimum, which is not always zero:

* per example, `[batch, ...] -> [batch]`: the caller takes the mean;
* paired rows, two arrays whose rows belong together, `-> [batch]`;
* one sample, a batch as a whole, `-> scalar`;
* two samples, of any two sizes, `-> scalar`.
"""

from tlda.losses.class_alignment import centroid_alignment, contrastive_domain_discrepancy
from tlda.losses.classification import cross_entropy
from tlda.losses.discrepancy import (
  classifier_discrepancy,
  margin_disparity,
  sliced_wasserstein_discrepancy,
)
from tlda.losses.distillation import attention_transfer, distillation, hint
from tlda.losses.divergence import kullback_leibler
from tlda.losses.domain_adversarial import domain_adversarial, domain_confusion
from tlda.losses.entropy import entropy
from tlda.losses.feature_norm import hard_feature_norm, stepwise_feature_norm
from tlda.losses.kernels import (
  joint_maximum_mean_discrepancy,
  local_maximum_mean_discrepancy,
  maximum_mean_discrepancy,
)
from tlda.losses.moments import central_moment_discrepancy, coral
from tlda.losses.predictions import (
  batch_nuclear_norm,
  information_maximization,
  minimum_class_confusion,
)
from tlda.losses.self_training import class_balance, confident_cross_entropy, consistency
from tlda.losses.spectral import batch_spectral_penalty, batch_spectral_shrinkage
from tlda.losses.transport import joint_distribution_transport, sinkhorn_divergence
from tlda.losses.wasserstein import gradient_penalty, nuclear_wasserstein_discrepancy

__all__ = [
  'attention_transfer',
  'batch_nuclear_norm',
  'batch_spectral_penalty',
  'batch_spectral_shrinkage',
  'central_moment_discrepancy',
  'centroid_alignment',
  'class_balance',
  'classifier_discrepancy',
  'confident_cross_entropy',
  'consistency',
  'contrastive_domain_discrepancy',
  'coral',
  'cross_entropy',
  'distillation',
  'domain_adversarial',
  'domain_confusion',
  'entropy',
  'gradient_penalty',
  'hard_feature_norm',
  'hint',
  'information_maximization',
  'joint_distribution_transport',
  'joint_maximum_mean_discrepancy',
  'kullback_leibler',
  'local_maximum_mean_discrepancy',
  'margin_disparity',
  'maximum_mean_discrepancy',
  'minimum_class_confusion',
  'names',
  'nuclear_wasserstein_discrepancy',
  'sinkhorn_divergence',
  'sliced_wasserstein_discrepancy',
  'stepwise_feature_norm',
]


def names() -> list[str]:
  """Returns the names of all losses, sorted."""
  return sorted(set(__all__) - {'names'})
