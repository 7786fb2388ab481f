"""Which source model is the right one: scores of it on a target's examples, before any training."""

from tlda.evaluation.transferability.h_score import h_score
from tlda.evaluation.transferability.leep import leep
from tlda.evaluation.transferability.log_me import log_me
from tlda.evaluation.transferability.nce import nce
from tlda.evaluation.transferability.nearest_neighbours import knn_accuracy
from tlda.evaluation.transferability.scores import SCORES, Score, measure, names
from tlda.evaluation.transferability.trans_rate import trans_rate

__all__ = [
  'SCORES',
  'Score',
  'h_score',
  'knn_accuracy',
  'leep',
  'log_me',
  'measure',
  'names',
  'nce',
  'trans_rate',
]
