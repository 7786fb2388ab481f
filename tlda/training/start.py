"""What weights a training starts from: its own draw, those of a finished run, or published ones."""

import re
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from etils import epath

from tlda.errors import UserError
from tlda.methods import Method
from tlda.methods.initialization import network_variables
from tlda.methods.method import Variables
from tlda.models.adapters import ADAPTERS
from tlda.models.low_rank import PRODUCTS
from tlda.training.checkpoint import SELECTED, Arrays, Checkpoints, flatten, named, unflatten
from tlda.training.run import Run, Weights
from tlda.training.state import TrainState, optimizer_states
from tlda.transfer import Optimizer

# What a transfer strategy adds to a backbone, and what then begins anew.
_NEW = frozenset({PRODUCTS, ADAPTERS})


def arrays_of(run: Run, form: TrainState) -> Arrays:
  """Returns what a run starts from in the place of a draw: weights, and what it is given.

  What both networks have is taken over; a backbone is found wherever either network has it.

  Args:
    run: The run.
    form: A new state of one seed, as shapes.

  Returns:
    Arrays with a leading dimension of seeds, by their names in a checkpoint of this run. Empty
    where everything is drawn.

  Raises:
    UserError: Nothing is shared, or the weights are of another backbone, or of one with parts that
      the new one lacks, or do not fit.
  """
  arrays: Arrays = {}
  if run.initial is not None:
    arrays = arrays_of_run(run.initial, run.seeds)
  elif run.weights is not None:
    arrays = arrays_of_weights(run.weights, form, len(run.seeds))
  fresh = run.method.fresh
  arrays = {name: array for name, array in arrays.items() if _is_taken(name, fresh)}
  own = named({'params': form.params, 'states': form.states})
  arrays = _placed(arrays | dict(run.given), own)
  if run.initial is not None:
    _check_backbone(arrays, own)
  taken = {name: arrays[name] for name in own if name in arrays}
  shared = [any(name.startswith('params.') for name in names) for names in (arrays, taken)]
  if shared == [True, False]:
    raise UserError('the weights to start from share no parameters with this network')
  return taken


def _is_taken(name: str, fresh: frozenset[str]) -> bool:
  """Tells whether an array of a checkpoint is one of the network's: a weight, or a statistic.

  A method's own states (a teacher, a bank, weights of domains) are of the problem that they were
  made on, and begin anew.
  """
  kind, _, rest = name.partition('.')
  group = rest.partition('.')[0]
  return group == 'batch_stats' if kind == 'states' else group not in fresh


def arrays_of_run(workdir: Path, seeds: tuple[int, ...], flag: str = '--init_from') -> Arrays:
  """Returns the arrays of a finished run, seed i of its seed i.

  They are those of the last step, or for each seed of the step that its `--select` chose. The data
  of that run are not needed.

  Args:
    workdir: The folder of the finished run.
    seeds: The seeds of the new run.
    flag: What the user named it by.

  Returns:
    Arrays with a leading dimension of seeds, by the names of a checkpoint.

  Raises:
    UserError: There is no such run, or it lacks a seed.
  """
  workdir = epath.Path(workdir)
  chosen = workdir / SELECTED
  directory = chosen if chosen.is_dir() else workdir / 'checkpoints'
  found = Checkpoints(directory).latest() if directory.is_dir() else None
  if found is None:
    raise UserError(f'{flag}={workdir} holds no checkpoint of a run')
  if not (workdir / 'result.json').exists():
    raise UserError(f'{flag}={workdir} is not finished (step {found[0]}): finish it first')
  arrays = found[1]
  known = arrays['seed'].tolist()
  missing = sorted(set(seeds) - set(known))
  if missing:
    raise UserError(f'{flag}={workdir} has seeds {known}, and not {missing}')
  order = [known.index(seed) for seed in seeds]
  return {name: array[order] for name, array in arrays.items()}


def arrays_of_weights(load: Weights, form: TrainState, seeds: int) -> Arrays:
  """Returns the arrays that published weights have for a backbone, the same for every seed.

  Args:
    load: From the variables of the backbone ('params', and 'batch_stats' where it has them) to the
      same with weights loaded.
    form: A new state of one seed, as shapes.
    seeds: Their number.
  """
  whole = network_variables(form.params, form.states)
  prefix, backbone = _backbone({name: tree['extractor'] for name, tree in whole.items()})
  where = {'params': 'params', 'batch_stats': 'states.batch_stats'}
  return {
    f'{where[collection]}.{prefix}.{name}': np.repeat(array[None], seeds, axis=0)
    for collection, tree in load(backbone).items()
    for name, array in named(tree).items()
    if isinstance(array, np.ndarray)  # What the file may lack is a shape still.
  }


def _backbone(variables: Variables) -> tuple[str, Variables]:
  """Returns where in the extractor its backbone is, and the variables of that."""
  prefix = 'extractor'
  while 'backbone' in variables['params']:
    prefix += '.backbone'
    variables = {name: tree['backbone'] for name, tree in variables.items() if 'backbone' in tree}
  return prefix, variables


def without(state: TrainState, known: Container[str]) -> TrainState:
  """Returns a new state with zeros where its arrays are known, so that no draw is compiled there.

  Args:
    state: Of one seed.
    known: Their names in a checkpoint.
  """
  kept = {
    name: jnp.zeros_like(leaf) if name in known else leaf for name, leaf in named(state).items()
  }
  return jax.tree.unflatten(jax.tree.structure(state), kept.values())


def begin_with(
  arrays: Arrays, stacked: TrainState, method: Method, optimizer: Optimizer
) -> TrainState:
  """Returns new states with given arrays in the place of what was drawn.

  States that only the new method has are made of the weights taken, so that a teacher begins as
  the network does; so is the optimizer's. The step is the new one's.

  Args:
    arrays: As `arrays_of` returns them.
    stacked: New states as host arrays with a leading dimension of seeds.
    method: The new method.
    optimizer: The new optimizer.

  Raises:
    UserError: An array differs in shape.
  """
  form = {'params': stacked.params, 'states': stacked.states}
  fresh = flatten(form)
  both = unflatten(fresh | arrays, form)
  of_seeds = [jax.tree.map(lambda x, place=place: x[place], both) for place in range(_count(both))]
  own = [method.initial_states(network_variables(**tree)) for tree in of_seeds]
  moments = [optimizer_states(optimizer, tree['params']) for tree in of_seeds]
  own, moments = (jax.tree.map(lambda *x: np.stack(x), *trees) for trees in (own, moments))
  both = unflatten(fresh | flatten({'states': own}) | arrays, form)
  return stacked.replace(params=both['params'], states=both['states'], optimizer=moments)


def _placed(arrays: Arrays, fresh: Iterable[str]) -> Arrays:
  """Returns arrays with those of the bare backbone named as in the new network."""
  for part in (PRODUCTS, ADAPTERS):
    if _has(arrays, part) and not _has(fresh, part):
      raise UserError(
        f'the weights to start from are of a backbone with {part} and this has none: give the '
        '--transfer of that run (or, of low_rank, its folder as --weights)'
      )
  theirs, ours = _bare(arrays), _bare(fresh)
  before = re.compile(rf'^(params|states\.batch_stats)\.{re.escape(theirs)}\.')
  return {before.sub(rf'\1.{ours}.', name): array for name, array in arrays.items()}


def _check_backbone(arrays: Arrays, fresh: Iterable[str]) -> None:
  """Refuses weights of another backbone, of which this one would take a part, or only the head."""
  inside = re.compile(rf'params\.{re.escape(_bare(fresh))}\.')
  own = [name for name in fresh if inside.match(name) and not _NEW & {*name.split('.')}]
  lacking = [name for name in own if name not in arrays]
  if lacking and any(name.startswith('params.extractor.') for name in arrays):
    raise UserError(
      f'the weights to start from are of another backbone: they lack {len(lacking)} of the '
      f'{len(own)} arrays of this one, such as {lacking[0]}'
    )


def _has(arrays: Iterable[str], part: str) -> bool:
  return any(name.startswith('params.extractor.') and part in name.split('.') for name in arrays)


def _bare(arrays: Iterable[str]) -> str:
  """Returns where the bare backbone is."""
  prefix = 'extractor'
  while any(name.startswith(f'params.{prefix}.backbone.') for name in arrays):
    prefix += '.backbone'
  return prefix


def _count(stacked: Any) -> int:
  return len(jax.tree.leaves(stacked)[0])
