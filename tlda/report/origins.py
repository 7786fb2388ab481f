"""How the numbers of a table were made: commands, commits, hashes and references."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from tlda.report import text

Row = Mapping[str, Any]


class Code(str):
  """A text that is set as code."""

  __slots__ = ()


@dataclasses.dataclass(frozen=True)
class Origins:
  """How numbers were made.

  Attributes:
    summary: What the lines are about.
    lines: Each in its parts, texts and `Code`.
  """

  summary: str
  lines: Sequence[Sequence[str]]


def of_each(rows: Sequence[Row]) -> Origins:
  """Returns what it takes to make each number again."""
  made = [
    [
      f'{entry["method"]}, {text.arrow(entry["source"], entry["target"])}: ',
      *(Code(entry['command']), ' at ', Code(text.commit(entry['commit']))),
    ]
    for entry in rows
  ]
  return Origins('How each number was made', made + _data(rows))


def of_all(rows: Sequence[Row]) -> Origins:
  """Returns one command as an example, and where all of them stand."""
  commits = dict.fromkeys(text.commit(entry['commit']) for entry in rows)
  stand = '; the command and commit of each stand in the JSON file beside this'
  made = [['such as ', Code(rows[0]['command']), stand], ['commits: ', *_listed(commits)]]
  return Origins('How these numbers were made', made + _data(rows))


def _data(rows: Sequence[Row]) -> list[list[str]]:
  """Returns the lines on hashes and references."""
  # Where label sets differ, a domain has other examples as a source than as a target.
  data = [(entry['data'] or {}).items() for entry in rows]
  known_as = dict.fromkeys((name, _hash(facts['sha256'])) for each in data for name, facts in each)
  hashes: list[str] = []
  for name, value in known_as:
    hashes += [', ' * bool(hashes) + f'{name} ', Code(value)]
  known = [entry['published'] for entry in rows if entry['published']]
  references = '; '.join(dict.fromkeys(published['reference'] for published in known))
  fixed = dict.fromkeys(
    entry['protocol_sha256'][:12] for entry in rows if 'protocol_sha256' in entry
  )
  lines = [['sha256: ', *hashes]] * bool(hashes)
  lines += [['Protocol with its data: ', *_listed(fixed)]] * bool(fixed)
  return lines + [[f'Published: {references}']] * bool(references)


def _listed(names: Mapping[str, None]) -> list[str]:
  """Returns code with commas between."""
  parts: list[str] = []
  for name in names:
    parts += [', '] * bool(parts) + [Code(name)]
  return parts


def _hash(value: str | Mapping[str, str]) -> str:
  """Returns the beginning of a hash, or of the hash of each split."""
  if isinstance(value, Mapping):
    return ', '.join(f'{split} {part[:12]}' for split, part in value.items())
  return value[:12]
