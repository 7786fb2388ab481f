"""Which weights move, and how fast: strategies, and optimizers that read the training step."""

from tlda.errors import UserError, nearest
from tlda.transfer.adapter import Adapter
from tlda.transfer.bitfit import BitFit
from tlda.transfer.discriminative import Discriminative
from tlda.transfer.fine_tune import FineTune
from tlda.transfer.freeze import Freeze
from tlda.transfer.gradual_unfreezing import GradualUnfreezing
from tlda.transfer.l2_sp import L2SP
from tlda.transfer.layer_decay import LayerDecay
from tlda.transfer.linear_probe import LinearProbe
from tlda.transfer.lora import LoRA
from tlda.transfer.lp_ft import LPFT
from tlda.transfer.optimizers import Optimizer, optimizer
from tlda.transfer.schedules import Schedule, schedule
from tlda.transfer.stoch_norm import StochNorm
from tlda.transfer.strategy import Leaf, Strategy

__all__ = [
  'L2SP',
  'LPFT',
  'Adapter',
  'BitFit',
  'Discriminative',
  'FineTune',
  'Freeze',
  'GradualUnfreezing',
  'LayerDecay',
  'Leaf',
  'LinearProbe',
  'LoRA',
  'Optimizer',
  'Schedule',
  'StochNorm',
  'Strategy',
  'get',
  'names',
  'optimizer',
  'schedule',
]


def _exported() -> dict[str, type[Strategy]]:
  classes = [value for value in globals().values() if isinstance(value, type)]
  return {
    cls.__module__.rpartition('.')[2]: cls
    for cls in classes
    if issubclass(cls, Strategy) and cls is not Strategy
  }


def names() -> list[str]:
  """Returns the names of all strategies, sorted."""
  return sorted(_exported())


def get(name: str) -> type[Strategy]:
  """Returns a strategy by its name.

  Raises:
    UserError: No strategy has this name.
  """
  if name not in names():
    raise UserError(nearest('transfer strategy', name, names()))
  return _exported()[name]
