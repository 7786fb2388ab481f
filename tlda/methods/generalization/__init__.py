"""Domain generalisation: several sources, and a target that is unknown in training."""

from tlda.methods.generalization.group_dro import GroupDRO
from tlda.methods.generalization.irm import IRM
from tlda.methods.generalization.vrex import VREx

__all__ = ['IRM', 'GroupDRO', 'VREx']
