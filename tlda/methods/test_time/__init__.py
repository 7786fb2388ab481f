"""At test time: a trained network meets a stream of unlabelled batches, and answers each."""

from tlda.methods.test_time.batch_norm_adaptation import BatchNormAdaptation
from tlda.methods.test_time.tent import Tent

__all__ = ['BatchNormAdaptation', 'Tent']
