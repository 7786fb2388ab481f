"""Unequal label sets: a target that lacks classes of the source, or has classes of its own."""

from tlda.methods.label_sets.ba3us import BA3US
from tlda.methods.label_sets.iwan import IWAN
from tlda.methods.label_sets.osbp import OSBP
from tlda.methods.label_sets.ovanet import OVANet
from tlda.methods.label_sets.pada import PADA
from tlda.methods.label_sets.softmax_threshold import SoftmaxThreshold
from tlda.methods.label_sets.uan import UAN

__all__ = ['BA3US', 'IWAN', 'OSBP', 'OVANet', 'PADA', 'SoftmaxThreshold', 'UAN']
