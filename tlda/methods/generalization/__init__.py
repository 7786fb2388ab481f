"""Domain generalisation: several sources, and a target that is unknown in training."""

from tlda.methods.generalization.cdann import CDANN
from tlda.methods.generalization.coral_across import CORALAcross
from tlda.methods.generalization.dann_across import DANNAcross
from tlda.methods.generalization.eqrm import EQRM
from tlda.methods.generalization.fish import Fish
from tlda.methods.generalization.fishr import Fishr
from tlda.methods.generalization.group_dro import GroupDRO
from tlda.methods.generalization.irm import IRM
from tlda.methods.generalization.mixstyle import MixStyle
from tlda.methods.generalization.mixup_across import MixupAcross
from tlda.methods.generalization.mldg import MLDG
from tlda.methods.generalization.mmd_across import MMDAcross
from tlda.methods.generalization.rsc import RSC
from tlda.methods.generalization.sagnet import SagNet
from tlda.methods.generalization.spectral_decoupling import SpectralDecoupling
from tlda.methods.generalization.swad import SWAD
from tlda.methods.generalization.vrex import VREx

__all__ = [
  'CDANN',
  'CORALAcross',
  'DANNAcross',
  'EQRM',
  'Fish',
  'Fishr',
  'GroupDRO',
  'IRM',
  'MixStyle',
  'MixupAcross',
  'MLDG',
  'MMDAcross',
  'RSC',
  'SWAD',
  'SagNet',
  'SpectralDecoupling',
  'VREx',
]
