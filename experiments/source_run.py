"""The run that a method without source data starts from, and all that is known of its source."""

from collections.abc import Mapping
from typing import Any

from experiments import saved
from tlda import data, methods
from tlda.errors import UserError


def does_without_data(kind: type[methods.Method]) -> bool:
  """Tells whether a trained source run is all that a method needs of the source."""
  return kind.first_stage is not None and 'source' not in kind.reads


def find(parsed: Mapping[str, Any], kind: type[methods.Method], default: str) -> saved.About | None:
  """Returns what `--init_from` says of itself, where it stands for the data of the source.

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
  if not (does_without_data(kind) and parsed['init_from']):
    return None
  known = saved.about(parsed['init_from'], '--init_from')
  trained = known.flags['source']
  if parsed['source'] not in (trained, default, parsed['target']):
    raise UserError(
      f'--init_from={parsed["init_from"]} was trained on --source={trained}: give that, or none, '
      f'not {parsed["source"]}'
    )
  for flag in ('backbone', 'bottleneck'):
    if known.flags[flag] != parsed[flag]:
      raise UserError(
        f'--init_from={parsed["init_from"]} was trained with --{flag}={known.flags[flag]}, and its '
        f'weights fit no other: not {parsed[flag]}'
      )
  if (known.flags['normalization'] == 'ibn') != (parsed['normalization'] == 'ibn'):
    raise UserError(
      f'--init_from={parsed["init_from"]} was trained with --normalization='
      f'{known.flags["normalization"]}, and its weights mean something else in another: not '
      f'{parsed["normalization"]}'
    )
  return known


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
