"""How it is adapted: one method, one file, one line here.

A method is known by the name of its file; one outside this package by its import path,
`my_lab.ideas:MyMethod`.
"""

import importlib

from tlda.errors import UserError, nearest
from tlda.methods.adda import ADDA
from tlda.methods.batch import Batch, Context, DomainSpec, Examples, Spec
from tlda.methods.cdan import CDAN
from tlda.methods.cdan_e import CDANE
from tlda.methods.daan import DAAN
from tlda.methods.daln import DALN
from tlda.methods.dann import DANN
from tlda.methods.dirt_t import DIRTT
from tlda.methods.domain_confusion import DomainConfusion
from tlda.methods.gvb import GVB
from tlda.methods.method import DomainPass, Method, Outputs, Phase, Terms, initialize
from tlda.methods.sdat import SDAT
from tlda.methods.source_only import SourceOnly
from tlda.methods.symnets import SymNets
from tlda.methods.target_only import TargetOnly
from tlda.methods.vada import VADA
from tlda.methods.wdgrl import WDGRL

__all__ = [
  'ADDA',
  'CDAN',
  'CDANE',
  'DAAN',
  'DALN',
  'DANN',
  'DIRTT',
  'GVB',
  'SDAT',
  'VADA',
  'WDGRL',
  'Batch',
  'Context',
  'DomainConfusion',
  'DomainPass',
  'DomainSpec',
  'Examples',
  'Method',
  'Outputs',
  'Phase',
  'SourceOnly',
  'Spec',
  'SymNets',
  'TargetOnly',
  'Terms',
  'get',
  'initialize',
  'names',
]


def _exported() -> dict[str, type[Method]]:
  classes = [value for value in globals().values() if isinstance(value, type)]
  return {
    cls.__module__.rpartition('.')[2]: cls
    for cls in classes
    if issubclass(cls, Method) and cls is not Method
  }


def names() -> list[str]:
  """Returns the names of all methods, sorted."""
  return sorted(_exported())


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
