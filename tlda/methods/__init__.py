"""How it is adapted: one method, one file, one line here.

Those for other settings than a labelled source and an unlabelled target are in a package for each.
A method is known by the name of its file; one outside this package by its import path,
`my_lab.ideas:MyMethod`.
"""

import importlib
import sys
from types import ModuleType

from tlda.errors import UserError, nearest
from tlda.methods import (
  few_labels,
  generalization,
  gradual,
  label_sets,
  several_sources,
  source_free,
  test_time,
)
from tlda.methods.adabn import AdaBN
from tlda.methods.adamatch import AdaMatch
from tlda.methods.adda import ADDA
from tlda.methods.afn import AFN
from tlda.methods.atdoc import ATDOC
from tlda.methods.batch import Batch, Context, DomainSpec, Examples, Spec
from tlda.methods.bi_tuning import BiTuning
from tlda.methods.bnm import BNM
from tlda.methods.bsp import BSP
from tlda.methods.bsp_cdan import BSPCDAN
from tlda.methods.bss import BSS
from tlda.methods.can import CAN
from tlda.methods.cdan import CDAN
from tlda.methods.cdan_e import CDANE
from tlda.methods.cmd import CMD
from tlda.methods.co_tuning import CoTuning
from tlda.methods.cutmix import CutMix
from tlda.methods.daan import DAAN
from tlda.methods.daln import DALN
from tlda.methods.dan import DAN
from tlda.methods.dann import DANN
from tlda.methods.deep_coral import DeepCORAL
from tlda.methods.deep_jdot import DeepJDOT
from tlda.methods.delta import DELTA
from tlda.methods.dirt_t import DIRTT
from tlda.methods.domain_confusion import DomainConfusion
from tlda.methods.dsan import DSAN
from tlda.methods.dsbn import DSBN
from tlda.methods.fixmatch import FixMatch
from tlda.methods.gvb import GVB
from tlda.methods.information_maximization import InformationMaximization
from tlda.methods.initialization import initialize
from tlda.methods.jan import JAN
from tlda.methods.jan_adversarial import JANAdversarial
from tlda.methods.knowledge_distillation import KnowledgeDistillation
from tlda.methods.lwf import LwF
from tlda.methods.mcc import MCC
from tlda.methods.mcd import MCD
from tlda.methods.mdd import MDD
from tlda.methods.mean_teacher import MeanTeacher
from tlda.methods.method import DomainPass, Method, Outputs, Phase, Terms
from tlda.methods.minimum_entropy import MinimumEntropy
from tlda.methods.mixup import Mixup
from tlda.methods.mstn import MSTN
from tlda.methods.multi_task import MultiTask
from tlda.methods.pseudo_label import PseudoLabel
from tlda.methods.rotation import Rotation
from tlda.methods.sdat import SDAT
from tlda.methods.sinkhorn import SinkhornAlignment
from tlda.methods.source_only import SourceOnly
from tlda.methods.star import STAR
from tlda.methods.swd import SWD
from tlda.methods.symnets import SymNets
from tlda.methods.target_only import TargetOnly
from tlda.methods.teacher import Teacher
from tlda.methods.vada import VADA
from tlda.methods.wdgrl import WDGRL
from tlda.methods.weight_average import WeightAverage

__all__ = [
  'ADDA',
  'AFN',
  'ATDOC',
  'AdaBN',
  'AdaMatch',
  'BNM',
  'BSP',
  'BSPCDAN',
  'BSS',
  'Batch',
  'BiTuning',
  'CAN',
  'CDAN',
  'CDANE',
  'CMD',
  'CoTuning',
  'Context',
  'CutMix',
  'DAAN',
  'DALN',
  'DAN',
  'DANN',
  'DELTA',
  'DIRTT',
  'DSAN',
  'DSBN',
  'DeepCORAL',
  'DeepJDOT',
  'DomainConfusion',
  'DomainPass',
  'DomainSpec',
  'Examples',
  'FixMatch',
  'GVB',
  'InformationMaximization',
  'JAN',
  'JANAdversarial',
  'KnowledgeDistillation',
  'LwF',
  'MCC',
  'MCD',
  'MDD',
  'MSTN',
  'MeanTeacher',
  'Method',
  'MinimumEntropy',
  'Mixup',
  'MultiTask',
  'Outputs',
  'PLAIN',
  'Phase',
  'PseudoLabel',
  'Rotation',
  'SDAT',
  'STAR',
  'SWD',
  'SinkhornAlignment',
  'SourceOnly',
  'Spec',
  'SymNets',
  'TargetOnly',
  'Teacher',
  'Terms',
  'VADA',
  'WDGRL',
  'WeightAverage',
  'few_labels',
  'generalization',
  'get',
  'gradual',
  'initialize',
  'label_sets',
  'names',
  'settings',
  'source_free',
  'several_sources',
  'test_time',
]


# The setting of this package, and the packages of the others.
PLAIN = 'Unsupervised adaptation, and transfer: a labelled source and a target, or a target alone.'
_SETTINGS = (
  few_labels,
  generalization,
  gradual,
  label_sets,
  several_sources,
  source_free,
  test_time,
)


def _exported_by(module: ModuleType) -> dict[str, type[Method]]:
  classes = [getattr(module, name) for name in module.__all__]
  return {
    cls.__module__.rpartition('.')[2]: cls
    for cls in classes
    if isinstance(cls, type) and issubclass(cls, Method) and cls is not Method
  }


def _exported() -> dict[str, type[Method]]:
  return {name: cls for each in settings().values() for name, cls in each.items()}


def settings() -> dict[str, dict[str, type[Method]]]:
  """Returns the methods of each setting: what the setting is, to name to class."""
  own = {PLAIN: _exported_by(sys.modules[__name__])}
  return own | {(module.__doc__ or ''): _exported_by(module) for module in _SETTINGS}


def names(setting: str | None = None) -> list[str]:
  """Returns the names of all methods, or of those of a setting, sorted."""
  return sorted(_exported() if setting is None else settings()[setting])


def get(name: str) -> type[Method]:
  """Returns a method by its name, or by the import path `package.module:Class` of one outside.

  Raises:
    UserError: No method has this name, or nothing that is a method has this import path.
  """
  if ':' in name:
    return _imported(name)
  if name not in names():
    raise UserError(nearest('method', name, names()))
  return _exported()[name]


def _imported(path: str) -> type[Method]:
  module, _, attribute = path.partition(':')
  try:
    found = getattr(importlib.import_module(module), attribute)
  except (ImportError, AttributeError, ValueError) as error:
    raise UserError(f'--method={path} cannot be imported: {error}') from error
  if not (isinstance(found, type) and issubclass(found, Method)):
    raise UserError(f'--method={path} is no subclass of tlda.methods.Method')
  return found
