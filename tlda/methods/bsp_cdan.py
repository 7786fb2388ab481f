"""Batch spectral penalization on conditional adversarial adaptation (Chen et al., 2019)."""

from tlda.methods.bsp import BSP
from tlda.methods.cdan import CDAN


class BSPCDAN(BSP, CDAN):
  """Adds a penalty on the largest singular values of features to CDAN.

  The second combination of Chen, Wang, Long, Wang: *Transferability vs. Discriminability: Batch
  Spectral Penalization for Adversarial Domain Adaptation*, ICML 2019:

    L_task - lambda(p) E(D) + spectral_weight sum_domains sum_{i = 1}^k sigma_i^2

  with CDAN's E(D) of features and predictions together, and the penalty of `bsp`.

  Attributes:
    domain_classifier: Tells source from target, given features and predictions.
  """
