"""What a sweep is made of: the configurations that were drawn, written down once."""

import dataclasses
import hashlib
import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from absl.flags import DEFINE_multi_string, FlagValues

from experiments import common, flags
from experiments.sweeps import places, space
from tlda.errors import UserError, nearest
from tlda.evaluation import selection

# Flags that are a machine's own: each worker has them from its command line.
LOCAL = ('data_dir', 'distribute')
# What a sweep says for each run, or has no use for.
_REFUSED = ('workdir', *flags.ACTIONS, *flags.PODS)
# The rule of Ganin et al., 2016, for those who name none.
_SELECT = 'reverse_validation'
FLAGS = {
  'budget': (20, 'Configurations to draw; more may be asked for later.'),
  'sweep_seed': (0, 'By what they are drawn: the same number draws the same.'),
  'folder': (
    None,
    'Where the sweep lies, on a disk or at gs:// (default: '
    'runs/sweeps/EXPERIMENT/METHOD-SOURCE-TARGET).',
  ),
  'range': (
    [],
    'What to search, besides what the fields of the method say or in its place: '
    'FLAG=log:LOW:HIGH, FLAG=uniform:LOW:HIGH or FLAG=choice:A,B. May be given several times.',
  ),
}


@dataclasses.dataclass(frozen=True)
class Plan:
  """A sweep as it is written down.

  Attributes:
    experiment: The module, `experiments.NAME` without its first word, or a whole import path.
    budget: How many configurations were drawn, those counted that came twice.
    sweep_seed: What they were drawn by.
    ranges: Flag to the range that it was drawn from.
    settings: The other flags of a configuration, the same for all runs.
    given: The flags that every run is given, besides what was drawn.
    runs: Id of a run to what was drawn for it, in order.
  """

  experiment: str
  budget: int
  sweep_seed: int
  ranges: Mapping[str, str]
  settings: Mapping[str, Any]
  given: Mapping[str, Any]
  runs: Mapping[str, Mapping[str, Any]]

  @property
  def select(self) -> str:
    """The rule by which the winner is chosen."""
    return self.settings['select']

  def words(self, run: str) -> list[str]:
    """Returns the flags of a run."""
    return [f'--{name}={value}' for name, value in {**self.given, **self.runs[run]}.items()]


def define(values: FlagValues) -> None:
  """Defines the flags of a sweep."""
  for name, (default, text) in FLAGS.items():
    if isinstance(default, list):
      DEFINE_multi_string(name, default, text, flag_values=values)
    else:
      flags.define_one(name, default, text, values)


def make(name: str, words: Sequence[str], values: FlagValues) -> tuple[Plan, dict[str, Any]]:
  """Draws the configurations of a sweep.

  Args:
    name: The experiment.
    words: The command line: flags of the experiment, and those that `values` has already.
    values: The flags of `define`; those of the experiment are defined on them as well.

  Returns:
    The plan, and all flags of the experiment.

  Raises:
    UserError: A flag, a range or the rule of selection does not fit.
  """
  parsed, method = flags.parse([name, *words], _defaults(name), values)
  budget, seed = values['budget'].value, values['sweep_seed'].value
  _check(parsed, values)
  over = space.searched(parsed, method, values, values['range'].value)
  given = {key: parsed[key] for key in parsed if values[key].present and key not in LOCAL}
  settings = _settings(parsed, over)
  drawn = [space.draw(over, parsed, seed, trial) for trial in range(budget)]
  plan = Plan(
    experiment=name,
    budget=budget,
    sweep_seed=seed,
    ranges={key: str(each) for key, each in over.items()},
    settings=settings,
    given={**given, 'select': parsed['select'], 'report': parsed['report']},
    runs={identify(name, settings | each): each for each in drawn},
  )
  return plan, parsed


def identify(name: str, configuration: Mapping[str, Any]) -> str:
  """Returns the id of a run: twelve digits of a hash of its experiment and configuration."""
  text = json.dumps({'experiment': name, **configuration}, sort_keys=True)
  return hashlib.sha256(text.encode()).hexdigest()[:12]


def experiments() -> list[str]:
  """Returns the names of all experiments."""
  scripts = Path(common.__file__).parent.glob('*.py')
  return [path.stem for path in scripts if '\nEXPERIMENT = ' in path.read_text()]


def experiment(name: str) -> common.Experiment:
  """Returns an experiment by its name, or by the import path of a module that has one.

  Raises:
    UserError: There is none.
  """
  if name not in (known := experiments()) and '.' not in name:
    raise UserError(nearest('experiment', name, known))
  try:
    return importlib.import_module(name if '.' in name else f'experiments.{name}').EXPERIMENT
  except (ImportError, AttributeError) as error:
    raise UserError(f'{name} cannot be imported as an experiment: {error}') from error


def write(plan: Plan, folder: str) -> Plan:
  """Writes a plan into a folder, or finds it there; a larger budget adds to it.

  Returns:
    The plan that is there now.

  Raises:
    UserError: The folder belongs to another sweep, or cannot be written.
  """
  path = f'{folder}/plan.json'
  try:
    if places.create(path, _text(plan)):
      return plan
  except OSError as error:
    raise UserError(f'--folder={folder} cannot be written: {error.strerror or error}') from error
  there = read(folder)
  changed = _differences(_identity(there), _identity(plan))
  if plan.budget < there.budget:
    changed.append(f'--budget: {there.budget} there, {plan.budget} now, and it only grows')
  if changed:
    raise UserError(
      f'--folder={folder} belongs to another sweep ({"; ".join(changed)}): give it another folder, '
      'or the old flags'
    )
  if plan.budget > there.budget:
    there = dataclasses.replace(there, budget=plan.budget, runs=plan.runs)
    places.replace(path, _text(there))
  return there


def read(folder: str) -> Plan:
  """Returns the plan of a sweep.

  Raises:
    UserError: There is none, or it is broken.
  """
  path = f'{folder}/plan.json'
  text = places.read(path)
  if text is None:
    raise UserError(f'{path} is not there: {folder} is no sweep')
  try:
    return Plan(**json.loads(text))
  except (ValueError, TypeError) as error:
    raise UserError(f'{path} is broken: {error}') from error


def verify(plan: Plan, folder: str) -> None:
  """Refuses to run a plan whose configurations would be others than those that were drawn.

  Raises:
    UserError: The defaults of the experiment have changed since.
  """
  words = plan.words(next(iter(plan.runs)))
  parsed, _ = flags.parse([plan.experiment, *words], _defaults(plan.experiment), FlagValues())
  if changed := _differences(plan.settings, _settings(parsed, plan.ranges)):
    raise UserError(
      f'{folder} was planned with other defaults ({"; ".join(changed)}): go on with the checkout '
      'of then, or plan it anew in another folder'
    )


def _check(parsed: Mapping[str, Any], values: FlagValues) -> None:
  """Refuses what no sweep can do."""
  for name in _REFUSED:
    if values[name].present:
      raise UserError(f'a sweep has no use for --{name}: leave it out')
  if values['budget'].value < 1:
    raise UserError(f'--budget must be 1 or above, not {values["budget"].value}')
  if parsed['select'] not in selection.SCORES:
    known = ', '.join(sorted(selection.SCORES))
    raise UserError(f'--select={parsed["select"]} cannot compare runs: name one of {known}')
  common.parse_seeds(parsed['seeds'])


def _defaults(name: str) -> dict[str, Any]:
  """Returns the defaults of an experiment in a sweep: no pages, and a rule that compares runs."""
  own = {**common.DEFAULTS, **experiment(name).defaults}
  select = own['select'] if own['select'] in selection.SCORES else _SELECT
  return {**own, 'report': False, 'select': select}


def _settings(parsed: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
  """Returns the part of a configuration that nothing is drawn for."""
  return {key: parsed[key] for key in parsed if key not in space.APART and key not in over}


def _identity(plan: Plan) -> dict[str, Any]:
  """Returns what the plans of one sweep have in common."""
  over = {f'range={key}': text for key, text in plan.ranges.items()}
  return {'experiment': plan.experiment, 'sweep_seed': plan.sweep_seed, **over, **plan.settings}


def _differences(there: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
  return [
    f'--{key}: {there.get(key)} there, {now.get(key)} now'
    for key in sorted(there.keys() | now.keys())
    if there.get(key) != now.get(key)
  ]


def _text(plan: Plan) -> str:
  return json.dumps(dataclasses.asdict(plan), indent=2) + '\n'
