"""Domain generalisation: several sources, and a target that is unknown in training."""

from tlda.methods.generalization.cdann import CDANN
from tlda.methods.generalization.coral_across import CORALAcross
from tlda.methods.generalization.dann_across import DANNAcross
from tlda.methods.generalization.mixstyle import MixStyle
from tlda.methods.generalization.mixup_across import MixupAcross
from tlda.methods.generalization.mmd_across import MMDAcross
from tlda.methods.generalization.vrex import VREx

__all__ = ['CDANN', 'CORALAcross', 'DANNAcross', 'MMDAcross', 'MixStyle', 'MixupAcross', 'VREx']
