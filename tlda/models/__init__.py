"""Flax linen modules: feature extractors, heads, normalisation and gradient reversal."""

from tlda.models import backbones
from tlda.models.adapters import Adapters
from tlda.models.bottleneck import Bottleneck
from tlda.models.domain_classifier import DomainClassifier
from tlda.models.gradient_reversal import gradient_reversal
from tlda.models.heads import Linear, MLPHead
from tlda.models.low_rank import LowRank
from tlda.models.network import Network
from tlda.models.normalization import Normalization
from tlda.models.pooling import max_pool
from tlda.models.stochastic_normalization import StochasticNormalization

__all__ = [
  'Adapters',
  'Bottleneck',
  'DomainClassifier',
  'Linear',
  'LowRank',
  'MLPHead',
  'Network',
  'Normalization',
  'StochasticNormalization',
  'backbones',
  'gradient_reversal',
  'max_pool',
]
