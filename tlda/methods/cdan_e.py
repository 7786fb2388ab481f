"""Conditional adversarial domain adaptation with entropy conditioning (Long et al., 2018)."""

from tlda.methods.cdan import CDAN


class CDANE(CDAN):
  """Aligns features jointly with predictions, those that are certain first: the paper's CDAN+E.

  Long, Cao, Wang, Jordan: *Conditional Adversarial Domain Adaptation*, NeurIPS 2018. The loss of
  the domain classifier on an example is weighted by

    w = 1 + exp(-H(g))

  where H(g) is the entropy of its prediction. See `cdan` for the rest.
  """

  entropy_conditioning: bool = True
