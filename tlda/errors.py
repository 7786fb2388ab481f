"""A user's mistake, and the sentence that helps."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
  """A mistake of the user's, said in one clear sentence.

  Experiments and scripts print the sentence and leave with exit code 2; nobody sees a traceback.
  """


def nearest(kind: str, name: str, known: Iterable[str]) -> str:
  """Says that `name` is unknown, and which known names are nearest.

  Args:
    kind: What the name should have named: 'method', 'domain', 'backbone'.
    name: What the user wrote.
    known: The names that there are.

  Returns:
    One sentence, such as "unknown method 'dan': did you mean 'dann'? (known: dann, source_only)".
  """
  known = sorted(known)
  close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
  guess = f': did you mean {" or ".join(map(repr, close))}?' if close else ''
  return f'unknown {kind} {name!r}{guess} (known: {", ".join(known)})'
