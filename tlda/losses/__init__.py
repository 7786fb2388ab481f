"""Losses: plain functions of arrays. One file for each family, one line here for each loss.

A loss knows nothing of devices: one that looks at a batch as a whole is given the rows of all
devices. Each says in its docstring which kind it is, and its minimum, which is not always zero:

* per example, `[batch, ...] -> [batch]`: the caller takes the mean;
* paired rows, two arrays whose rows belong together, `-> [batch]`;
* one sample, a batch as a whole, `-> scalar`;
* two samples, of any two sizes, `-> scalar`.
"""

from tlda.losses.classification import cross_entropy
from tlda.losses.divergence import kullback_leibler
from tlda.losses.domain_adversarial import domain_adversarial, domain_confusion
from tlda.losses.entropy import entropy
from tlda.losses.wasserstein import gradient_penalty, nuclear_wasserstein_discrepancy

__all__ = [
  'cross_entropy',
  'domain_adversarial',
  'domain_confusion',
  'entropy',
  'gradient_penalty',
  'kullback_leibler',
  'names',
  'nuclear_wasserstein_discrepancy',
]


def names() -> list[str]:
  """Returns the names of all losses, sorted."""
  return sorted(set(__all__) - {'names'})
