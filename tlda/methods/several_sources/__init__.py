"""Several labelled sources, and an unlabelled target."""

from tlda.methods.several_sources.mdan import MDAN
from tlda.methods.several_sources.multi_domain_dann import MultiDomainDANN

__all__ = ['MDAN', 'MultiDomainDANN']
