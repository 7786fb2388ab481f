"""What a backbone is built into: a feature extractor and the heads that its paper puts on it."""

from typing import NamedTuple

import flax.linen as nn

from tlda.models.domain_classifier import DomainClassifier


class Network(NamedTuple):
  """The parts of a network, as a method takes them.

  Attributes:
    extractor: `(inputs, *, domain=0, train=False) -> features [batch, d]`; its stages are sown in
      the collection 'intermediates' as `stage1`, `stage2`, ...
    head: `(features, *, domain=0, train=False) -> logits [batch, classes]`.
    domain_classifier: `(features, *, train=False) -> domain logits [batch]`.
  """

  extractor: nn.Module
  head: nn.Module
  domain_classifier: DomainClassifier


def backbone_of(extractor: nn.Module) -> nn.Module:
  """Returns the backbone of an extractor: what it wraps, however often, or itself.

  A backbone has a property `layers`: the names of its parts, layer by layer from the input on, as
  tuples. One with public weights has `published` (see `tlda.models.published`).
  """
  while hasattr(extractor, 'backbone'):
    extractor = extractor.backbone
  return extractor
