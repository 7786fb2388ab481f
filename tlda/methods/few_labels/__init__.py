"""Few target labels: a labelled source, an unlabelled target and a few labels of it."""

from tlda.methods.few_labels.mme import MME
from tlda.methods.few_labels.self_tuning import SelfTuning
from tlda.methods.few_labels.source_and_target import SourceAndTarget

__all__ = ['MME', 'SelfTuning', 'SourceAndTarget']
