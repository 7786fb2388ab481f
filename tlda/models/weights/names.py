"""Which tensor of a file is which of ours, and what differs."""

import dataclasses
import difflib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from tlda.errors import UserError
from tlda.models.published import Published

# Of each kind of difference, as many are shown.
_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class Naming:
  """How a file names a backbone's tensors.

  Attributes:
    rename: From a path below the backbone to the file's name, without its prefix.
    prefix: What stands before all of them, such as 'bert.'.
    is_published: Whether layouts are PyTorch's.
  """

  rename: Callable[[str], str]
  prefix: str = ''
  is_published: bool = False

  def of(self, path: str) -> str:
    """Returns the name in the file."""
    return self.prefix + self.rename(path)


def choose(paths: Collection[str], found: Collection[str], published: Published | None) -> Naming:
  """Returns the naming by which most is found: that of the public weights, or ours.

  A prefix is looked for only where it makes every tensor fit.

  Args:
    paths: Of all tensors, below the backbone.
    found: The names in the file.
    published: How the backbone's public weights are named, if there are any.

  Raises:
    UserError: Several prefixes make everything fit.
  """
  found = set(found)
  namings = [Naming(published.rename, is_published=True)] if published else []
  namings += [Naming(lambda path: path), Naming(lambda path: path.replace('/', '.'))]
  count = lambda naming: sum(naming.of(path) in found for path in paths)
  best = max(namings, key=count)
  if count(best) == len(paths):
    return best
  fitting = [naming for naming in _prefixed(namings, paths, found) if count(naming) == len(paths)]
  if len(fitting) > 1:
    among = ', '.join(sorted(naming.prefix for naming in fitting))
    raise UserError(f'the weights hold several networks that fit ({among}): keep one of them')
  return fitting[0] if fitting else best


def _prefixed(
  namings: Iterable[Naming], paths: Collection[str], found: set[str]
) -> Iterator[Naming]:
  for naming in namings:
    first = naming.of(next(iter(paths)))
    for name in found:
      prefix = name.removesuffix(first)
      if name.endswith(first) and prefix.endswith(('.', '/')):
        yield dataclasses.replace(naming, prefix=prefix)


def surplus(
  found: Iterable[str], used: Collection[str], prefix: str, published: Published | None
) -> list[str]:
  """Returns the names in a file that are of no use, and were not expected to be there.

  Args:
    found: The names in the file.
    used: Those of tensors that the backbone has.
    prefix: What stands before them; what lacks it belongs to another part of a network.
    published: Says what is a replaced head, and what holds no weights.
  """
  head, ignored = (published.head, published.ignored) if published else ((), ())
  rest = []
  for name in found:
    bare = name.removeprefix(prefix)
    expected = bare.startswith(head) or any(re.fullmatch(pattern, bare) for pattern in ignored)
    if name.startswith(prefix) and name not in used and not expected:
      rest.append(name)
  return rest


def table(backbone: str, differences: Mapping[str, list[str]]) -> str:
  """Says what differs: a sentence, then some lines of each kind.

  Args:
    backbone: The name of the backbone's class.
    differences: Lines by kind; those of 'missing' and 'surplus' are names.
  """
  kinds = {kind: lines for kind, lines in differences.items() if lines}
  counts = ', '.join(f'{len(lines)} {kind}' for kind, lines in kinds.items())
  text = [f'the weights do not fit {backbone}: {counts}']
  for kind, lines in kinds.items():
    shown = lines[:_SHOWN]
    if kind == 'missing':
      shown = [name + _guess(name, differences.get('surplus', [])) for name in shown]
    text += [f'  {kind}:', *(f'    {line}' for line in shown)]
    if len(lines) > _SHOWN:
      text.append(f'    ... and {len(lines) - _SHOWN} more')
  return '\n'.join(text)


def _guess(name: str, names: list[str]) -> str:
  close = difflib.get_close_matches(name, names, n=1)
  return f' (nearest: {close[0]})' if close else ''
