"""Shallow baselines: adaptation of vectors without learning features, each a small problem solved.

A baseline is a frozen dataclass whose fields are its settings: `TCA(dimension=30).predict(source,
labels, target)` scores the target's examples, or others.
"""

from tlda.errors import UserError, nearest
from tlda.shallow.coral import CORAL
from tlda.shallow.easy_tl import EasyTL
from tlda.shallow.gfk import GFK
from tlda.shallow.jda import JDA
from tlda.shallow.kliep import KLIEP
from tlda.shallow.kmm import KMM
from tlda.shallow.label_propagation import LabelPropagation
from tlda.shallow.nearest_neighbour import NearestNeighbour
from tlda.shallow.optimal_transport import OptimalTransport
from tlda.shallow.pca import PCA
from tlda.shallow.shallow import Shallow
from tlda.shallow.subspace_alignment import SubspaceAlignment
from tlda.shallow.svm import SVM
from tlda.shallow.tca import TCA
from tlda.shallow.ulsif import ULSIF

__all__ = [
  'CORAL',
  'GFK',
  'JDA',
  'KLIEP',
  'KMM',
  'PCA',
  'SVM',
  'TCA',
  'ULSIF',
  'EasyTL',
  'LabelPropagation',
  'NearestNeighbour',
  'OptimalTransport',
  'Shallow',
  'SubspaceAlignment',
  'get',
  'names',
]


def _exported() -> dict[str, type[Shallow]]:
  classes = [value for value in globals().values() if isinstance(value, type)]
  return {
    cls.__module__.rpartition('.')[2]: cls
    for cls in classes
    if issubclass(cls, Shallow) and cls is not Shallow
  }


def names() -> list[str]:
  """Returns the names of all baselines, sorted."""
  return sorted(_exported())


def get(name: str) -> type[Shallow]:
  """Returns a baseline by its name.

  Raises:
    UserError: No baseline has this name.
  """
  if name not in names():
    raise UserError(nearest('shallow method', name, names()))
  return _exported()[name]
