"""What a method is given of other trainings: a teacher, or the head of an old task."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
import numpy as np
from flax import traverse_util

from experiments import saved
from tlda import methods
from tlda.data import Domain
from tlda.errors import UserError
from tlda.models import Linear, Network, pretrained
from tlda.models.bottleneck import Bottleneck
from tlda.models.network import backbone_of
from tlda.training.checkpoint import flatten, unflatten
from tlda.training.inputs import Preprocessing

Arrays = dict[str, np.ndarray]
Given = tuple[dict[str, Any], Arrays]


def find(
  parsed: Mapping[str, Any],
  kind: type[methods.Method],
  network: Network,
  target: Domain,
  sees: Preprocessing,
  seeds: Sequence[int],
) -> Given:
  """Returns the fields that a method is given, and the arrays that belong to them.

  Args:
    parsed: All flags.
    kind: The method; one without a field `teacher` or `old_head` is given nothing.
    network: The parts of its network.
    target: The domain that it learns.
    sees: The preprocessing of its inputs.
    seeds: Its seeds.

  Returns:
    Fields by name, and arrays as `Run.given` takes them.

  Raises:
    UserError: A teacher is named for a method that has none, or what is named does not fit.
  """
  fields = {field.name for field in dataclasses.fields(kind)}
  if parsed['teacher'] and 'teacher' not in fields:
    raise UserError(f'--method={parsed["method"]} has no teacher: leave out --teacher')
  if parsed['teacher']:
    return _teacher(parsed['teacher'], target, sees, seeds)
  if 'old_head' in fields and parsed['init_from']:
    return _head_of_run(parsed, seeds)
  if 'old_head' in fields and parsed['weights']:
    return _published_head(parsed, network, len(seeds))
  return {}, {}


def _teacher(workdir: str, target: Domain, sees: Preprocessing, seeds: Sequence[int]) -> Given:
  """Returns a finished run as a teacher: its one seed for all, or seed i of it for seed i."""
  found = saved.load(workdir, '--teacher')
  if found.classes != target.classes:
    own, other = (', '.join(names[:4]) for names in (target.classes, found.classes))
    raise UserError(
      f'--teacher={workdir} tells other classes ({other}, ...) than these ({own}, ...)'
    )
  scale, shift = change(sees, found.preprocessing)
  teacher = methods.Teacher(found.method, scale, shift, found.branch(target.name))
  form = jax.eval_shape(teacher.variables)
  wanted = traverse_util.flatten_dict(form, sep='.')
  of_seeds = []
  alone = len(found.seeds) == 1
  places = [0] * len(seeds) if alone else _places(found, '--teacher', workdir, seeds)
  for place in places:
    arrays = flatten(found.variables[place])
    of_seeds.append(unflatten({name: arrays[name] for name in wanted if name in arrays}, form))
  stacked = jax.tree.map(lambda *x: np.stack(x), *of_seeds)
  return {'teacher': teacher}, flatten({'states': {'teacher': stacked}})


def change(own: Preprocessing, other: Preprocessing) -> tuple[tuple[float, ...], tuple[float, ...]]:
  """Returns scale and shift, for each channel, from what one preprocessing makes to another's.

  Where nothing changes, both are ().
  """
  if own == other:
    return (), ()
  (mean, std), (wanted, unit) = (
    (np.asarray(x.mean or 0.0), np.asarray(x.std or 1.0)) for x in (own, other)
  )
  scale, shift = np.broadcast_arrays(std / unit, (mean - wanted) / unit)
  return tuple(np.ravel(scale).tolist()), tuple(np.ravel(shift).tolist())


def _places(found: saved.Saved, flag: str, workdir: str, seeds: Sequence[int]) -> list[int]:
  """Returns which of a run's seeds each new seed takes."""
  if missing := sorted(set(seeds) - set(found.seeds)):
    raise UserError(f'{flag}={workdir} has seeds {list(found.seeds)}, and not {missing}')
  return [found.seeds.index(seed) for seed in seeds]


def _head_of_run(parsed: Mapping[str, Any], seeds: Sequence[int]) -> Given:
  """Returns the head of the run that training starts from, seed i of its seed i."""
  found = saved.load(parsed['init_from'], '--init_from')
  for flag in ('backbone', 'bottleneck'):
    if found.flags[flag] != parsed[flag]:
      raise UserError(
        f'--init_from={parsed["init_from"]} has --{flag}={found.flags[flag]}, and its head fits '
        'no other'
      )
  places = _places(found, '--init_from', parsed['init_from'], seeds)
  heads = [found.variables[place]['params']['head'] for place in places]
  return _old_head(found.method.head, heads)


def _published_head(parsed: Mapping[str, Any], network: Network, seeds: int) -> Given:
  """Returns the head of the published weights, the same for every seed."""
  if isinstance(network.extractor, Bottleneck):
    raise UserError('the published head stands on the backbone alone: --bottleneck=0')
  arrays = pretrained.read(parsed['weights'])
  head = pretrained.head(backbone_of(network.extractor), arrays)
  return _old_head(Linear(len(head['bias'])), [{'logits': head}] * seeds)


def _old_head(head: nn.Module, params: Sequence[Any]) -> Given:
  stacked = jax.tree.map(lambda *x: np.stack(x), *params)
  return {'old_head': head}, flatten({'params': {'old_head': stacked}})
