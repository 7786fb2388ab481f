"""The run that a method without source data starts from, and all that is known of its source."""

from collections.abc import Mapping
from typing import Any

from etils import epath

from experiments import saved
from tlda import data, methods
from tlda.errors import UserError
from tlda.models import backbones


def does_without_data(kind: type[methods.Method]) -> bool:
  """Tells whether a trained source run is all that a method needs of the source."""
  return kind.first_stage is not None and 'source' not in kind.reads


def find(parsed: Mapping[str, Any], kind: type[methods.Method], default: str) -> saved.About | None:
  """Returns what `--init_from` says of itself, where it stands for the data of the source.

  What any method starts from must be of its own network.

  Args:
    parsed: All flags.
    kind: The method.
    default: What `--source` is where the user does not say it.

  Returns:
    None where the data of the source are to be read: the method learns from them, or trains its
    first stage itself.

  Raises:
    UserError: It is no finished run, or one of another source or another backbone.
  """
  start = parsed['init_from']
  if not start:
    return None
  if not (does_without_data(kind) or (epath.Path(start) / 'config.json').exists()):
    raise UserError(f'--init_from={start} holds no checkpoint of a run')
  known = saved.about(start, '--init_from')
  _check_network(known.flags, parsed)
  if not does_without_data(kind):
    return None
  trained = known.flags['source']
  if parsed['source'] not in (trained, default, parsed['target']):
    raise UserError(
      f'--init_from={start} was trained on --source={trained}: give that, or none, '
      f'not {parsed["source"]}'
    )
  return known


def _check_network(known: Mapping[str, Any], parsed: Mapping[str, Any]) -> None:
  """Refuses a network of which a run's weights would fill only a part, and the rest stay drawn.

  Args:
    known: The flags of the run to start from.
    parsed: Those of the new one.
  """
  said = f'--init_from={parsed["init_from"]} was trained with'
  for flag, of in (('backbone', lambda flags: flags['backbone']), ('bottleneck', _width)):
    if of(known) != of(parsed):
      raise UserError(
        f'{said} --{flag}={known[flag]}, and its weights fit no other: not {parsed[flag]}'
      )
  if (known['normalization'] == 'ibn') != (parsed['normalization'] == 'ibn'):
    raise UserError(
      f'{said} --normalization={known["normalization"]}, and its weights mean something else in '
      f'another: not {parsed["normalization"]}'
    )


def _width(flags: Mapping[str, Any]) -> int:
  """Returns the width of the bottleneck between backbone and heads, also of the usual one."""
  if flags['bottleneck'] >= 0:
    return flags['bottleneck']
  return getattr(backbones.network(flags['backbone'], classes=2).extractor, 'width', 0)


def check(known: saved.About, target: data.Domain) -> None:
  """Refuses a target that the network of a source run cannot tell.

  Raises:
    UserError: Its classes are others, or its inputs have another shape.
  """
  if known.classes != target.classes:
    own, other = (', '.join(names[:4]) for names in (target.classes, known.classes))
    raise UserError(
      f'--init_from is of a run that tells other classes ({other}, ...) than {target.name} has '
      f'({own}, ...)'
    )
  shape = tuple(target.train.inputs.shape[1:])
  if shape != known.spec.input_shape:
    raise UserError(
      f'{target.name} has inputs of {shape}, and the run of --init_from was trained on '
      f'{known.spec.input_shape}'
    )
