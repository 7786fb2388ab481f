"""The runs that are the rows of a table: what each is asked, and where it lies."""

from collections.abc import Sequence


def every(
  methods: Sequence[str], pairs: Sequence[tuple[str, str]], seeds: int = 3
) -> tuple[str, ...]:
  """Returns the flags of each run of a table: every method on every pair.

  Args:
    methods: Their names.
    pairs: (source, target) by the names of domains.
    seeds: How many each run has.
  """
  return tuple(
    f'--method={method} --source={source} --target={target} --seeds={seeds}'
    for method in methods
    for source, target in pairs
  )


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
