"""What a sweep searches, and what it draws from there."""

import hashlib
from collections.abc import Mapping
from typing import Any

from absl.flags import FlagValues

from experiments import flags
from tlda import ranges
from tlda.errors import UserError, nearest
from tlda.training.run import FREE

# What is no part of a configuration. How often a run is evaluated is: of these steps it is chosen.
APART = (FREE - {'eval_every'}) | {*flags.ACTIONS, *flags.PODS}
# What all runs have in common, so that they can be compared, or their flags defined.
_SAME = {'method', 'transfer', 'protocol', 'source', 'target', 'seeds', 'select', 'eval_every'}


def searched(
  parsed: Mapping[str, Any], method: type, values: FlagValues, said: list[str]
) -> dict[str, ranges.Range]:
  """Returns what is searched: flag to range, sorted.

  These are the fields of the method that say a range and are not given a value, and what is said.

  Args:
    parsed: All flags of the experiment.
    method: The method.
    values: The same flags, with their types.
    said: Of each `--range` its text, FLAG=RANGE.

  Raises:
    UserError: A range is of no flag, does not fit it, is empty, or there is none.
  """
  prefix = flags.prefix(parsed['method'], method)
  own = {f'{prefix}.{field}': each for field, each in ranges.declared(method).items()}
  over = {name: each for name, each in own.items() if not values[name].present}
  for text in said:
    name, _, rest = text.partition('=')
    if name not in parsed:
      raise UserError(nearest('flag', name, [key for key in parsed if key not in APART | _SAME]))
    over[name] = _fitting(name, ranges.parse(rest), parsed[name], values)
  if not over:
    raise UserError(
      f'there is nothing to search: the fields of {parsed["method"]} say no range, or are given; '
      'name one, such as --range=learning_rate=log:0.001:0.1'
    )
  return dict(sorted(over.items()))


def draw(
  over: Mapping[str, ranges.Range], parsed: Mapping[str, Any], seed: int, trial: int
) -> dict[str, Any]:
  """Returns the configuration of a trial: flag to value, the same on every machine.

  A value knows nothing of the other ranges, nor of the budget: these may change, and it stays.

  Args:
    over: What is searched.
    parsed: All flags of the experiment: what is an int there is drawn whole.
    seed: The number that the sweep is drawn by.
    trial: Which configuration, from 0.
  """
  return {
    name: each.at(_share(f'{seed}/{trial}/{name}'), whole=type(parsed[name]) is int)
    for name, each in over.items()
  }


def _share(text: str) -> float:
  """Returns a number in [0, 1) that a text stands for."""
  return int(hashlib.sha256(text.encode()).hexdigest()[:13], 16) / 16**13


def _fitting(name: str, each: ranges.Range, default: Any, values: FlagValues) -> ranges.Range:
  """Returns the range of a flag, with values of its type."""
  if name in _SAME | APART:
    raise UserError(f'--range={name}: it is the same in all runs of a sweep')
  if values[name].present:
    raise UserError(f'--{name} is given and has a range as well: leave one of them out')
  if isinstance(each, ranges.Choice):
    try:
      return ranges.Choice(tuple(values[name].parser.parse(word) for word in each.values))
    except (ValueError, TypeError) as error:
      raise UserError(f'--range={name}={each} does not fit --{name}: {error}') from error
  if type(default) not in (int, float):
    raise UserError(f'--range={name}={each}: --{name} is no number, and needs choice:A,B,...')
  if type(default) is int and not (each.low.is_integer() and each.high.is_integer()):
    raise UserError(f'--range={name}={each}: --{name} is a whole number, and so are its ends')
  return each
