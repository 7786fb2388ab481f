"""Several command lines of one experiment as few compiled programs: see `tlda.training.grid`."""

import functools
import json
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
from absl import flags as absl_flags

from experiments import common, compilation, flags, network, problem
from experiments.common import Experiment
from tlda import data
from tlda.errors import UserError
from tlda.training import grid
from tlda.training.run import Run, claim

Result = dict[str, Any] | UserError

# The most runs of a program: each has an open file.
_MOST = 500


def launch(experiment: Experiment, commands: Sequence[Sequence[str]]) -> list[Result]:
  """Trains what command lines say, all that fit one program in one; finished runs are left alone.

  What cannot be trained with others is trained alone, and that is said.

  Args:
    experiment: The experiment.
    commands: Command lines, program name first, each with a `--workdir` of its own.

  Returns:
    For each what its `result.json` holds, or why there is none.

  Raises:
    UserError: Two have the same folder.
    Preempted: A run that is trained alone was told to stop.
  """
  compilation.use_cache()
  read = functools.cache(data.load)  # Each domain once, whichever runs have it.
  runs = [_tried(_build, experiment, argv, read) for argv in commands]
  folders = [os.fspath(run.workdir) for run in runs if isinstance(run, Run)]
  if twice := [folder for folder in folders if folders.count(folder) > 1]:
    raise UserError(f'--workdir={twice[0]} is that of several runs: give each its own')
  found, alone, groups = _sorted(runs)
  for numbers in (part for group in groups for part in _parts(group, runs)):
    print(f'training {len(numbers)} runs together', flush=True)
    try:
      found |= zip(numbers, grid.fit_together([runs[n] for n in numbers]), strict=True)
    except UserError as error:
      alone |= dict.fromkeys(numbers, str(error))
  for number, reason in alone.items():
    print(f'{runs[number].workdir} is trained alone: {reason}', flush=True)
    found[number] = _tried(common.launch, experiment, commands[number])
    jax.clear_caches()  # The programs of a run are of no use to the next.
  return [found[number] for number in range(len(runs))]


def _tried(function: Callable[..., Any], *args: Any) -> Any:
  """Returns what a function does, or the user's mistake in it: other runs may do without."""
  try:
    return function(*args)
  except UserError as error:
    return error


def _sorted(
  runs: Sequence[Run | UserError],
) -> tuple[dict[int, Result], dict[int, str], list[list[int]]]:
  """Sorts runs by their numbers: into what is known of them, why they go alone, and groups."""
  found: dict[int, Result] = {}
  alone: dict[int, str] = {}
  groups: dict[str, list[int]] = {}
  for number, run in enumerate(runs):
    known = run if isinstance(run, UserError) else _tried(_finished, run)
    if known is not None:
      found[number] = known
    elif reason := grid.unfit(run) or _begun(run):
      alone[number] = reason
    else:
      groups.setdefault(grid.key(run), []).append(number)
  return found, alone, list(groups.values())


def _finished(run: Run) -> dict[str, Any] | None:
  """Returns the result of a run that is finished.

  Raises:
    UserError: It is of another configuration.
  """
  path = run.workdir / 'result.json'
  if not path.exists():
    return None
  claim(run, writes=False)
  return json.loads(path.read_text())


def _begun(run: Run) -> str | None:
  """Returns why a run that has been trained in part goes on alone; None where it has not."""
  return 'it was begun alone' if (run.workdir / 'checkpoints').exists() else None


def _parts(numbers: Sequence[int], runs: Sequence[Run]) -> Iterator[list[int]]:
  """Cuts a group into what one program may hold."""
  limit, part, seeds = grid.most(runs[numbers[0]]), [], 0
  for number in numbers:
    if part and (seeds + len(runs[number].seeds) > limit or len(part) == _MOST):
      yield part
      part, seeds = [], 0
    part.append(number)
    seeds += len(runs[number].seeds)
  yield part


def _build(experiment: Experiment, argv: Sequence[str], read: problem.Read) -> Run:
  """Returns the run of a command line."""
  defaults = {**common.DEFAULTS, **experiment.defaults}
  parsed, method = flags.parse(argv, defaults, absl_flags.FlagValues())
  for name in (*flags.PODS, *flags.ACTIONS):
    if parsed.pop(name) not in (None, False):
      raise UserError(f'--{name} is not for runs that are trained together')
  command = shlex.join(['python', '-m', f'experiments.{experiment.name}', *argv[1:]])
  parsed |= {'experiment': experiment.name, 'source': parsed['source'] or parsed['target']}
  run = common.build(experiment, method, parsed, command, read)
  network.check(parsed, run)
  return run
