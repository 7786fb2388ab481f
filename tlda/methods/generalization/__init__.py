"""Domain generalisation: several sources, and a target that is unknown in training."""

from tlda.methods.generalization.eqrm import EQRM
from tlda.methods.generalization.fish import Fish
from tlda.methods.generalization.fishr import Fishr
from tlda.methods.generalization.group_dro import GroupDRO
from tlda.methods.generalization.irm import IRM
from tlda.methods.generalization.mldg import MLDG
from tlda.methods.generalization.rsc import RSC
from tlda.methods.generalization.spectral_decoupling import SpectralDecoupling
from tlda.methods.generalization.vrex import VREx

__all__ = [
  'EQRM',
  'IRM',
  'MLDG',
  'RSC',
  'Fish',
  'Fishr',
  'GroupDRO',
  'SpectralDecoupling',
  'VREx',
]
