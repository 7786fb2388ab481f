"""What a run would move, and how fast: every parameter, before any step."""

import dataclasses

import jax
import numpy as np

from tlda.training.inputs import Inputs, parts
from tlda.training.parallel import Parallel
from tlda.training.run import Run
from tlda.training.state import TrainState, create
from tlda.transfer.schedules import Schedule
from tlda.transfer.strategy import Layers, Leaf, Locate, Strategy, locator, path_of

# How many steps rates are shown at, from the first to the last.
SHOWN = 5


@dataclasses.dataclass(frozen=True)
class Parameter:
  """One parameter of a run.

  Attributes:
    leaf: Where it stands.
    shape: Its shape.
    moves: Whether it ever moves.
    rates: Its learning rate at the steps of `steps`.
  """

  leaf: Leaf
  shape: tuple[int, ...]
  moves: bool
  rates: tuple[float, ...]

  @property
  def count(self) -> int:
    """How many numbers it is."""
    return int(np.prod(self.shape))


def shapes(run: Run) -> TrainState:
  """Returns the state of a run as shapes and types; nothing is computed."""
  devices = Parallel(run.distribute, run.batch_size)
  read = parts(run.method, run.sources, run.target, run.labelled_target)
  inputs = Inputs(
    read,
    batch_size=run.batch_size,
    preprocessing=run.preprocessing,
    views=run.method.views,
    parallel=devices,
    resident=False,
  )
  batch = inputs.example(run.seeds[0])
  make = lambda seed: create(run.method, run.optimizer, batch, seed, run.steps)
  return jax.eval_shape(make, jax.ShapeDtypeStruct((), np.int32))


def leaves(state: TrainState, locate: Locate) -> list[tuple[Leaf, tuple[int, ...]]]:
  """Returns every parameter's place in the network and shape, in order of their paths."""
  found = jax.tree_util.tree_leaves_with_path(state.params)
  return [(locate(path_of(keys)), array.shape) for keys, array in found]


def steps(run: Run) -> list[int]:
  """Returns the steps of a run that rates are shown at, the last one among them."""
  return np.linspace(0, run.steps - 1, SHOWN).round().astype(int).tolist()


def parameters(run: Run, strategy: Strategy, layers: Layers, schedule: Schedule) -> list[Parameter]:
  """Returns what happens to every parameter of a run.

  Args:
    run: The run.
    strategy: Which weights its optimizer moves.
    layers: The names of the backbone's parts, layer by layer.
    schedule: The learning rate of what is new.
  """

  def rates(leaf: Leaf) -> tuple[float, ...]:
    return tuple(
      float(schedule(step) * strategy.rate(leaf, np.float32(step / run.steps)))
      for step in steps(run)
    )

  phases = run.method.phases()
  everything = any(phase.trains is None for phase in phases)
  groups = {group for phase in phases for group in phase.trains or ()}
  rows = []
  for leaf, shape in leaves(shapes(run), locator(layers)):
    moves = strategy.moves(leaf) and (everything or leaf.path.split('/')[0] in groups)
    rows.append(Parameter(leaf, shape, moves, rates(leaf) if moves else ()))
  return rows
