"""At test time: a trained network meets a stream of unlabelled batches, and answers each."""

from tlda.methods.test_time.batch_norm_adaptation import BatchNormAdaptation
from tlda.methods.test_time.cotta import CoTTA
from tlda.methods.test_time.eata import EATA
from tlda.methods.test_time.lame import LAME
from tlda.methods.test_time.t3a import T3A
from tlda.methods.test_time.tent import TENT

__all__ = ['T3A', 'BatchNormAdaptation', 'CoTTA', 'EATA', 'LAME', 'TENT']
