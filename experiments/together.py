"""Several command lines of one experiment as few compiled programs: see `tlda.training.grid`."""

import functools
import json
import shlex
from collections.abc import Sequence
from typing import Any

from absl import flags as absl_flags

from experiments import common, compilation, flags, network, problem
from experiments.common import Experiment
from tlda import data
from tlda.errors import UserError
from tlda.training import grid
from tlda.training.run import Run, claim


def launch(
  experiment: Experiment, commands: Sequence[Sequence[str]]
) -> list[dict[str, Any] | UserError]:
  """Trains what command lines say, all that fit one program in one; finished runs are left alone.

  What cannot be trained with others is trained alone, and that is said.

  Args:
    experiment: The experiment.
    commands: Command lines, program name first, each with a `--workdir` of its own.

  Returns:
    For each what its `result.json` holds, or why there is none.

  Raises:
    UserError: Whatever the user got wrong; nothing is trained then.
  """
  compilation.use_cache()
  read = functools.cache(data.load)  # Each domain once, whichever runs have it.
  runs = [_build(experiment, argv, read) for argv in commands]
  found: dict[int, dict[str, Any] | UserError] = {}
  groups: dict[str, list[int]] = {}
  for number, run in enumerate(runs):
    result = run.workdir / 'result.json'
    if result.exists():
      claim(run, writes=False)  # It is of this configuration, or refused.
      found[number] = json.loads(result.read_text())
    elif reason := grid.unfit(run) or _begun(run):
      print(f'{run.workdir} is trained alone: {reason}', flush=True)
      found[number] = common.launch(experiment, commands[number])
    else:
      groups.setdefault(grid.key(run), []).append(number)
  for numbers in groups.values():
    print(f'training {len(numbers)} runs together', flush=True)
    found |= zip(numbers, grid.fit_together([runs[n] for n in numbers]), strict=True)
  return [found[number] for number in range(len(runs))]


def _begun(run: Run) -> str | None:
  """Returns why a run that has been trained in part goes on alone; None where it has not."""
  return 'it was begun alone' if (run.workdir / 'checkpoints').exists() else None


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
