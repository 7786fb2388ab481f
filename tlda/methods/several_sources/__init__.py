"""Several labelled sources, and an unlabelled target."""

from tlda.methods.several_sources.m3sda import M3SDA
from tlda.methods.several_sources.m3sda_beta import M3SDABeta
from tlda.methods.several_sources.mdan import MDAN
from tlda.methods.several_sources.multi_domain_dann import MultiDomainDANN

__all__ = ['M3SDA', 'MDAN', 'M3SDABeta', 'MultiDomainDANN']
