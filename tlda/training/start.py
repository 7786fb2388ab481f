"""What weights a training starts from: its own draw, those of a finished run, or published ones."""

import re
from pathlib import Path
from typing import Any

import jax
import numpy as np
from etils import epath

from tlda.errors import UserError
from tlda.methods import Method
from tlda.methods.initialization import network_variables
from tlda.methods.method import Variables
from tlda.models.adapters import ADAPTERS
from tlda.models.low_rank import PRODUCTS
from tlda.training.checkpoint import SELECTED, Arrays, Checkpoints, flatten, unflatten
from tlda.training.run import Run, Weights
from tlda.training.state import TrainState, optimizer_states
from tlda.transfer import Optimizer

# What a transfer strategy adds to a backbone, and what then begins anew.
_NEW = frozenset({PRODUCTS, ADAPTERS})


def begin(run: Run, stacked: TrainState) -> TrainState:
  """Returns new states with the weights that a run starts from, and with what it is given.

  Args:
    run: The run.
    stacked: New states as host arrays with a leading dimension of seeds.

  Raises:
    UserError: The weights do not fit.
  """
  arrays: Arrays = {}
  if run.initial is not None:
    arrays = arrays_of_run(run.initial, run.seeds)
  elif run.weights is not None:
    arrays = arrays_of_weights(run.weights, stacked)
  fresh = run.method.fresh
  arrays = {name: array for name, array in arrays.items() if _is_taken(name, fresh)}
  return begin_with(arrays | dict(run.given), stacked, run.method, run.optimizer)


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


def arrays_of_weights(load: Weights, stacked: TrainState) -> Arrays:
  """Returns the arrays of every seed's backbone after published weights were loaded into it.

  Args:
    load: From the variables of the backbone ('params', and 'batch_stats' where it has them) to the
      same with weights loaded.
    stacked: New states as host arrays with a leading dimension of seeds.
  """

  def loaded(place: int) -> Arrays:
    own = jax.tree.map(lambda x: x[place], stacked)
    whole = network_variables(own.params, own.states)
    prefix, backbone = _backbone({name: tree['extractor'] for name, tree in whole.items()})
    arrays = flatten(load(backbone))
    where = {'params': 'params', 'batch_stats': 'states.batch_stats'}
    split = lambda name: name.partition('.')
    return {f'{where[split(n)[0]]}.{prefix}.{split(n)[2]}': array for n, array in arrays.items()}

  each = [loaded(place) for place in range(len(stacked.seed))]
  return {name: np.stack([arrays[name] for arrays in each]) for name in each[0]}


def _backbone(variables: Variables) -> tuple[str, Variables]:
  """Returns where in the extractor its backbone is, and the variables of that."""
  prefix = 'extractor'
  while 'backbone' in variables['params']:
    prefix += '.backbone'
    variables = {name: tree['backbone'] for name, tree in variables.items() if 'backbone' in tree}
  return prefix, variables


def begin_with(
  arrays: Arrays, stacked: TrainState, method: Method, optimizer: Optimizer
) -> TrainState:
  """Returns new states with given arrays in the place of what was drawn.

  What both have is taken over (a group that only the new method has keeps what was drawn); states
  that only the new method has are made of the weights taken, so that a teacher begins as the
  network does; so is the optimizer's. The step is the new one's. A backbone is found wherever
  either network has it.

  Args:
    arrays: With a leading dimension of seeds, by the names of a checkpoint.
    stacked: New states as host arrays with a leading dimension of seeds.
    method: The new method.
    optimizer: The new optimizer.

  Raises:
    UserError: Nothing is shared, a shared part differs in shape, or the weights are of another
      backbone, or of one with parts that the new one lacks.
  """
  form = {'params': stacked.params, 'states': stacked.states}
  fresh = flatten(form)
  arrays = _placed(arrays, fresh)
  taken = {name: arrays[name] for name in fresh if name in arrays}
  _check_backbone(arrays, fresh)
  shared = [any(name.startswith('params.') for name in names) for names in (arrays, taken)]
  if shared == [True, False]:
    raise UserError('the weights to start from share no parameters with this network')
  both = unflatten(fresh | taken, form)
  of_seeds = [jax.tree.map(lambda x, place=place: x[place], both) for place in range(_count(both))]
  own = [method.initial_states(network_variables(**tree)) for tree in of_seeds]
  moments = [optimizer_states(optimizer, tree['params']) for tree in of_seeds]
  own, moments = (jax.tree.map(lambda *x: np.stack(x), *trees) for trees in (own, moments))
  both = unflatten(fresh | flatten({'states': own}) | taken, form)
  return stacked.replace(params=both['params'], states=both['states'], optimizer=moments)


def _placed(arrays: Arrays, fresh: Arrays) -> Arrays:
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


def _check_backbone(arrays: Arrays, fresh: Arrays) -> None:
  """Refuses weights of another backbone, of which this one would take a part, or only the head."""
  inside = re.compile(rf'params\.{re.escape(_bare(fresh))}\.')
  own = [name for name in fresh if inside.match(name) and not _NEW & {*name.split('.')}]
  lacking = [name for name in own if name not in arrays]
  if lacking and any(name.startswith('params.extractor.') for name in arrays):
    raise UserError(
      f'the weights to start from are of another backbone: they lack {len(lacking)} of the '
      f'{len(own)} arrays of this one, such as {lacking[0]}'
    )


def _has(arrays: Arrays, part: str) -> bool:
  return any(name.startswith('params.extractor.') and part in name.split('.') for name in arrays)


def _bare(arrays: Arrays) -> str:
  """Returns where the bare backbone is."""
  prefix = 'extractor'
  while any(name.startswith(f'params.{prefix}.backbone.') for name in arrays):
    prefix += '.backbone'
  return prefix


def _count(stacked: Any) -> int:
  return len(jax.tree.leaves(stacked)[0])
