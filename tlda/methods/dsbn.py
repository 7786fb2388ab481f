"""Domain-specific batch normalisation (Chang et al., 2019)."""

from typing import ClassVar

from tlda.methods.dann import DANN


class DSBN(DANN):
  """Normalises each domain by itself, and aligns by a domain classifier what is left.

  Chang, You, Seo, Kwak, Han: *Domain-Specific Batch Normalization for Unsupervised Domain
  Adaptation*, CVPR 2019. Every batch normalisation of the network has a branch for each domain d,
  with statistics, scale and bias of its own, while all other weights are shared:

    scale_d (x - mean_d) / sqrt(variance_d + epsilon) + bias_d

  Source and target are normalised, and predicted for, by their own branch. The branches need a
  method that trains them on the target: the paper takes MSTN or CPUA, of whose objectives this is
  the adversarial part, L_task - lambda(p) L_domain. Other methods get the branches by
  `--normalization=per_domain`.

  Departs from the paper: this is its first stage, without MSTN's class centroids; the second, which
  learns from the first one's pseudo-labels, is left out.
  """

  normalization: ClassVar[str | None] = 'per_domain'
