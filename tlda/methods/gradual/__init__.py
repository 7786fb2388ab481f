"""Gradual adaptation: a sequence of unlabelled domains leads from the source to the target."""

from tlda.methods.gradual.gradual_self_training import GradualSelfTraining

__all__ = ['GradualSelfTraining']
