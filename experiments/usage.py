"""What `--help` and `--helpfull` print."""

import textwrap

from absl.flags import FlagValues

from experiments import flags
from tlda import methods, transfer

# Flags that ask for this text.
_ASKS = ('help', 'h', 'helpfull')


def usage(doc: str, method: str, values: FlagValues, *, whole: bool = False) -> str:
  """Returns what `--help` prints: what the experiment is, and its flags with their defaults.

  Args:
    doc: What the experiment is.
    method: The method whose flags are listed.
    values: The flags.
    whole: Whether to list those of every method instead (`--helpfull`).
  """
  lines = [doc.strip(), '', 'Flags:']
  own = [name for name in values if '.' not in name and name not in (*flags.NAMES, *_ASKS)]
  for name in (*own, *flags.NAMES):
    lines += entry(name, values)
  if whole:
    return '\n'.join([*lines, *_of_all()])
  own = [name for name in values if '.' in name]
  if own:
    lines += ['', f'Flags of {method}, and of the transfer strategy:']
    for name in own:
      lines += entry(name, values)
  return '\n'.join([*lines, '', '--helpfull lists the flags of every method and strategy.'])


def _of_all() -> list[str]:
  lines = []
  for setting, own in methods.settings().items():
    lines += ['', setting]
    for name, kind in own.items():
      lines += _of_kind('method', name, kind)
  lines += ['', 'Which weights move.']
  for name in transfer.names():
    lines += _of_kind('transfer', name, transfer.get(name))
  return lines


def _of_kind(flag: str, name: str, kind: type) -> list[str]:
  values = FlagValues()
  summary = (kind.__doc__ or '').partition('\n')[0]
  lines = ['', f'--{flag}={name}: {summary}']
  for own in flags.define_fields(name, kind, values):
    lines += entry(own, values)
  return lines


def entry(name: str, values: FlagValues) -> list[str]:
  """Returns the lines of a flag in a help: its name and default, then what it is."""
  flag = values[name]
  default = '' if flag.default is None else f'={flag.default}'
  head = f'  --{name}{default}'
  return [head, *textwrap.wrap(flag.help, 88, initial_indent=' ' * 6, subsequent_indent=' ' * 6)]
