"""Domain generalisation: several sources, and a target that is unknown in training."""

from tlda.methods.generalization.vrex import VREx

__all__ = ['VREx']
