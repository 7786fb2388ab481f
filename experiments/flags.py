"""The flags that all experiments share, and a method's flags from its fields."""

import dataclasses
import inspect
import math
import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn
from absl import flags

from experiments import protocol
from tlda import data, methods, ranges, transfer
from tlda.data import protocols
from tlda.data.training_augmentation import AUGMENTATIONS
from tlda.errors import UserError, nearest
from tlda.evaluation import selection, validators
from tlda.models import backbones
from tlda.models.normalization import MODES
from tlda.models.weights import places
from tlda.training.parallel import STYLES
from tlda.transfer import optimizers, schedules

NO_AUGMENTATION = 'none'
# Where a field of a method is no flag: what it is built of, and what linen adds.
_NOT_FLAGS = frozenset(
  {'spec', 'task', 'extractor', 'head', 'old_head', 'teacher', 'parent', 'name'}
)

Defaults = Mapping[str, Any]


def parse(
  argv: Sequence[str], defaults: Defaults, values: flags.FlagValues
) -> tuple[dict[str, Any], type[methods.Method]]:
  """Defines and parses all flags of an experiment.

  Method and transfer strategy are looked for first, in the arguments and in flag files, since their
  fields are flags.

  Args:
    argv: The command line, program name first.
    defaults: Of this experiment, for every flag of `define`, and for fields of methods and
      strategies where they differ.
    values: What the flags are defined on.

  Returns:
    All flags by name, and the method's class.

  Raises:
    UserError: An unknown flag, or a value that a flag does not take.
  """
  words = expanded(argv)
  defaults = protocol.defaults(named('protocol', words) or defaults['protocol'], defaults)
  define(defaults, values)
  name = named('method', words, defaults['method'])
  strategy = named('transfer', words, defaults['transfer'])
  method = methods.get(name)
  own, stage = define_fields(strategy, transfer.get(strategy), values, defaults), name
  while stage:
    own += define_fields(prefix(stage, methods.get(stage)), methods.get(stage), values, defaults)
    stage = methods.get(stage).first_stage
  try:
    rest = values(words)
  except flags.UnrecognizedFlagError as error:
    raise UserError(_unknown(error.flagname, values)) from error
  except flags.Error as error:
    raise UserError(sentence(error)) from error
  if rest[1:]:
    raise UserError(f'{rest[1]!r} is no flag: flags are written --name=value')
  check_finite({name: values[name].value for name in own})
  return {
    name: values[name].value for name in (*_COMMON, *_OPTIONAL, *ACTIONS, *PODS, *own)
  }, method


# Name: help. The defaults are each experiment's own.
_COMMON = {
  'method': 'How it is adapted: one of {methods}; or package.module:Class for a method of yours.',
  'source': 'Labelled domain, or several with commas: one of {domains}; or tfds:NAME, '
  'folder:PATH, npz:PATH, corrupted:DOMAIN/KIND-STRENGTH. Left empty, it is the target.',
  'target': 'Domain to adapt to, named as the source is.',
  'protocol': 'What is fixed so that numbers can be compared, and the name they are told under: '
  'one of {protocols}; or a name of your own, custom/NAME. Left empty, it is the one that the run '
  'follows.',
  'backbone': 'Feature extractor, with the heads of its paper: one of {backbones}.',
  'bottleneck': 'Width of the layer between backbone and heads; 0 is none, -1 that of the papers.',
  'weights': 'Published weights to start from: a known name ({weights}), a file (.pth, '
  '.safetensors, .msgpack, .npz), the folder of a run, a URL, or hf:OWNER/NAME/FILE.',
  'allow_missing': 'Let the file lack tensors that the backbone has, and have others.',
  'transfer': 'Which weights move, and how fast: one of {strategies}.',
  'normalization': 'Batch normalisation of the backbone: one of {normalizations}.',
  'image_size': 'Height and width to resize images to, in pixels; 0 leaves them as they are.',
  'tokens': 'Most tokens of a text; longer ones are cut.',
  'steps': 'Length of the training, in steps.',
  'batch_size': 'Examples of each domain in a step, on all devices.',
  'learning_rate': 'Learning rate at the start.',
  'schedule': 'Its course over the planned training: one of {schedules}.',
  'optimizer': 'One of {optimizers}.',
  'momentum': 'Of SGD; the decay of the first moment of Adam.',
  'weight_decay': 'Weight decay (an L2 penalty, but for adamw).',
  'label_smoothing': 'Share of the probability of a label that is spread over all classes.',
  'seeds': 'How many seeds (3 is seeds 0, 1, 2), or a list of them (0,5,7).',
  'log_every': 'Steps between log lines.',
  'eval_every': 'Steps between evaluations on the tests.',
  'checkpoint_every': 'Steps between checkpoints.',
  'select': 'Rule by which a checkpoint is kept for each seed: one of {rules}.',
  'validators': 'What scores each evaluated step without target labels: all, none, or names with '
  'commas ({validators}).',
  'report': 'Write the page of the run.',
  'augment': 'What training images go through: {augmentations}.',
  'source_classes': 'Classes that the sources keep: names or numbers with commas, ranges (0-5); '
  'empty keeps all.',
  'target_classes': 'Classes that the target keeps; those that the sources lack become one class, '
  'unknown.',
  'labels_per_class': 'Examples of each class that labelled training sets keep, drawn once for all '
  'seeds; 0 keeps all.',
  'target_labels_per_class': 'Labelled examples of each class of the target, for methods that read '
  'them.',
}
_OPTIONAL = {
  'distribute': 'How the step is spread over devices: {styles} (default: pmap on one host, '
  'shard_map across hosts).',
  'data_dir': 'Folder of raw and prepared data (default: the environment variable TLDA_DATA_DIR).',
  'workdir': 'Folder of the run; the same one continues it (default: '
  'runs/EXPERIMENT/METHOD-SOURCE-TARGET).',
  'init_from': 'Folder of a finished run whose weights to start from, seed by seed; a method that '
  'adapts a trained source run without its source then needs no data of that.',
  'teacher': 'Folder of a finished run that teaches, for methods that have a teacher.',
}
# What is done instead of training.
ACTIONS = {'dry_run': 'Show every parameter, whether it moves and how fast, and train nothing.'}
# Where a process is among others: no part of what is trained.
PODS = {
  'multihost': 'Join the other hosts of a pod; Cloud TPU and Slurm say who they are.',
  'coordinator': 'host:port of the first process, where no cluster says it.',
  'processes': 'Number of processes, where no cluster says it.',
  'process': 'Number of this process, from 0, where no cluster says it.',
}

# The names of all flags that every experiment has, in the order of its help.
NAMES = (*_COMMON, *_OPTIONAL, *ACTIONS, *PODS)


def define(defaults: Defaults, values: flags.FlagValues) -> None:
  """Defines the flags that every experiment has."""
  lists = {
    'methods': methods.names(),
    'domains': data.names(),
    'backbones': backbones.names(),
    'normalizations': sorted(MODES),
    'schedules': schedules.names(),
    'optimizers': optimizers.names(),
    'augmentations': [NO_AUGMENTATION, *AUGMENTATIONS],
    'styles': STYLES,
    'rules': selection.rules(),
    'validators': validators.names(),
    'strategies': transfer.names(),
    'weights': sorted(places.KNOWN),
    'protocols': '; '.join(protocols.names()),
  }
  lists = {k: v if isinstance(v, str) else ', '.join(v) for k, v in lists.items()}
  for name, text in _COMMON.items():
    define_one(name, defaults[name], text.format(**lists), values)
  for name, text in _OPTIONAL.items():
    define_one(name, None, text.format(**lists), values)
  flags.DEFINE_bool('dry_run', False, ACTIONS['dry_run'], flag_values=values)
  flags.DEFINE_bool('multihost', False, PODS['multihost'], flag_values=values)
  flags.DEFINE_string('coordinator', None, PODS['coordinator'], flag_values=values)
  for name in ('processes', 'process'):
    flags.DEFINE_integer(name, None, PODS[name], flag_values=values)


def define_one(name: str, default: Any, text: str, values: flags.FlagValues) -> None:
  """Defines one flag of the type of its default; None is a string without one."""
  kinds = {
    bool: flags.DEFINE_bool,
    int: flags.DEFINE_integer,
    float: flags.DEFINE_float,
    str: flags.DEFINE_string,
    type(None): flags.DEFINE_string,
  }
  kinds[type(default)](name, default, text, flag_values=values)


def prefix(name: str, method: type[methods.Method]) -> str:
  """Returns what a method's flags begin with: its name, or its class name in snake case."""
  return re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', method.__name__).lower() if ':' in name else name


def numbers(parsed: Mapping[str, Any], method: type[methods.Method]) -> dict[str, str]:
  """Returns which flags are floating-point fields of a method: flag to field."""
  named = {f'{prefix(parsed["method"], method)}.{field}': field for field in fields(method)}
  return {flag: field for flag, field in named.items() if isinstance(parsed[flag], float)}


def fields(kind: type) -> dict[str, Any]:
  """Returns the settings of a method or strategy, name to default: the fields that are flags."""
  return {
    field.name: field.default
    for field in dataclasses.fields(kind)
    if field.name not in _NOT_FLAGS and not isinstance(field.default, nn.Module)
  }


def define_fields(
  name: str, kind: type, values: flags.FlagValues, defaults: Defaults = types.MappingProxyType({})
) -> list[str]:
  """Defines the flags `NAME.FIELD` of a method or a transfer strategy; returns their names.

  Args:
    name: What the flags begin with.
    kind: The class.
    values: The flags are defined on these.
    defaults: Of an experiment, where they differ from the class's.

  Raises:
    UserError: A field is of a type that a flag cannot have.
  """
  help_of, types_of = attribute_help(kind), typing.get_type_hints(kind)
  searched = ranges.declared(kind)
  defined = []
  for field, default in fields(kind).items():
    wanted = types_of[field]
    if isinstance(wanted, types.GenericAlias | types.UnionType) or type(default) not in (
      bool, int, float, str,
    ):  # fmt: skip
      raise UserError(f'{kind.__name__}.{field} is {wanted}: a flag is a bool, int, float or str')
    if wanted is float:
      default = float(default)
    flag = f'{name}.{field}'
    text = help_of.get(field, '')
    if field in searched:
      text += f' Sweeps search {searched[field]}.'
    define_one(flag, defaults.get(flag, default), text, values)
    defined.append(flag)
  return defined


def attribute_help(kind: type) -> dict[str, str]:
  """Returns what the class and its bases say of each field under `Attributes:`."""
  found: dict[str, str] = {}
  for cls in reversed(kind.__mro__):
    _, _, section = inspect.cleandoc(cls.__doc__ or '').partition('Attributes:\n')
    for match in re.finditer(r'^  (\w+): (.+(?:\n {4,}.+)*)', section, re.MULTILINE):
      found[match[1]] = ' '.join(match[2].split())
  return found


def expanded(argv: Sequence[str]) -> list[str]:
  """Returns a command line, program name first, with the words of flag files in their place.

  Raises:
    UserError: A flag file cannot be read.
  """
  try:
    return [*argv[:1], *flags.FlagValues().read_flags_from_files(argv[1:], force_gnu=False)]
  except (flags.Error, OSError) as error:
    raise UserError(f'--flagfile cannot be read: {error}') from error


def named(flag: str, argv: Sequence[str], default: Any = None) -> Any:
  """Returns the last value that arguments (`expanded`) give a flag; they are not parsed yet."""
  found = default
  for place, argument in enumerate(argv):
    match = re.fullmatch(rf'--?{flag}(?:=(.*))?', argument)
    if match:
      found = match[1] if match[1] is not None else (argv[place + 1 : place + 2] or [default])[0]
  return found


def _unknown(name: str, values: flags.FlagValues) -> str:
  return nearest('flag', name, [own for own in values if len(own) > 1])


def sentence(error: flags.Error) -> str:
  """Returns what absl says of a value, in one line and without the tuple that it prints."""
  said = ' '.join(str(error).split())
  return re.sub(r"\('Non-boolean argument to boolean flag', .*\)", 'neither true nor false', said)


def check_finite(parsed: Mapping[str, Any]) -> None:
  """Refuses numbers that are none, or have no end.

  Raises:
    UserError: A flag is nan or infinite.
  """
  for name, value in parsed.items():
    if isinstance(value, float) and not math.isfinite(value):
      raise UserError(f'--{name} must be a finite number, not {value}')
