"""The command line of what works on finished runs and trains nothing, or not only."""

from collections.abc import Mapping, Sequence
from typing import Any

from absl import flags

from experiments.flags import check_finite, define_one, expanded, sentence
from experiments.usage import entry
from tlda.errors import UserError, nearest


def parse(
  doc: str, argv: Sequence[str], settings: Mapping[str, tuple[Any, str]], *, places: bool = False
) -> tuple[dict[str, Any], list[str]] | None:
  """Parses a command line, or prints its help.

  Args:
    doc: What the help begins with.
    argv: The command line, program name first.
    settings: Name of a flag to its default (None is a string without one) and its help.
    places: Whether it takes words that are no flags: files and folders.

  Returns:
    The flags by name, and the words that are none; None after `--help`.

  Raises:
    UserError: An unknown flag, a value that a flag does not take, or a word where none is taken.
  """
  values = flags.FlagValues()
  for name, (default, text) in settings.items():
    define_one(name, default, text, values)
  flags.DEFINE_bool('help', False, 'Show this text.', short_name='h', flag_values=values)
  try:
    rest = values(expanded(argv))[1:]
  except flags.UnrecognizedFlagError as error:
    raise UserError(nearest('flag', error.flagname, settings)) from error
  except flags.Error as error:
    raise UserError(sentence(error)) from error
  if values['help'].value:
    print('\n'.join([doc.strip(), '', 'Flags:', *(x for n in settings for x in entry(n, values))]))
    return None
  if rest and not places:
    raise UserError(f'{rest[0]!r} is no flag: flags are written --name=value')
  parsed = {name: values[name].value for name in settings}
  check_finite(parsed)
  return parsed, rest
