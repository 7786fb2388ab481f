"""The runs that are the rows of a table: where each lies."""

from collections.abc import Sequence


def slug(arguments: Sequence[str]) -> str:
  """Returns the name of a run's folder.

  Args:
    arguments: The flags of the row, each `--name=value`.
  """
  return '-'.join(flag.partition('=')[2].replace('/', '_') for flag in arguments)


def folder(table: str, arguments: Sequence[str]) -> str:
  """Returns the folder of a row's run, below the root of the repository.

  Args:
    table: Its name.
    arguments: The flags of the row, each `--name=value`.
  """
  return f'runs/tables/{table}/{slug(arguments)}'
