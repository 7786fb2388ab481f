"""Scores that choose a checkpoint without a label of the target; higher is better.

A validator is a function of arrays. What it sees it says by the names of its arguments, and is
handed nothing else; among the names that there are (`VIEWS`) there is none for the target's labels.
"""

from tlda.evaluation.validators.a_distance import a_distance
from tlda.evaluation.validators.bnm import bnm
from tlda.evaluation.validators.class_confusion import class_confusion
from tlda.evaluation.validators.corr_c import corr_c
from tlda.evaluation.validators.density_ratio import density_ratio
from tlda.evaluation.validators.dev import dev
from tlda.evaluation.validators.diversity import diversity
from tlda.evaluation.validators.entropy import entropy
from tlda.evaluation.validators.information_maximization import information_maximization
from tlda.evaluation.validators.iwcv import iwcv
from tlda.evaluation.validators.mixval import mixval, partners
from tlda.evaluation.validators.registry import VALIDATORS, VIEWS, WORST, names, score_all, sees
from tlda.evaluation.validators.reverse_validation import reverse_validation
from tlda.evaluation.validators.snd import snd
from tlda.evaluation.validators.source_risk import source_risk

__all__ = [
  'VALIDATORS',
  'VIEWS',
  'WORST',
  'a_distance',
  'bnm',
  'class_confusion',
  'corr_c',
  'density_ratio',
  'dev',
  'diversity',
  'entropy',
  'information_maximization',
  'iwcv',
  'mixval',
  'names',
  'partners',
  'reverse_validation',
  'score_all',
  'sees',
  'snd',
  'source_risk',
]
