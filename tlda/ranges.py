"""From where to where a hyper-parameter is searched: what a field says, and what a user writes.

A field says it in its type, `weight: Annotated[float, LogUniform(0.01, 1.0)] = 1.0`, and stays what
it is to everything but a sweep. On a command line it is `log:0.01:1`, `uniform:0:1` or
`choice:32,64`.
"""

import dataclasses
import math
import typing
from typing import Any

from tlda.errors import UserError

# Digits of a drawn number: as many as say anything, few enough to type again.
_DIGITS = 4


@dataclasses.dataclass(frozen=True)
class Uniform:
  """Every number from `low` to `high` is as likely as another.

  Attributes:
    low: The smallest.
    high: The largest, above `low`.
  """

  low: float
  high: float

  def __post_init__(self) -> None:
    """Refuses an empty range."""
    if not -math.inf < self.low < self.high < math.inf:
      raise UserError(f'the range {self} is empty: it goes from a number to a larger one')

  def __str__(self) -> str:
    return f'uniform:{self.low:.12g}:{self.high:.12g}'

  def at(self, share: float, *, whole: bool = False) -> float:
    """Returns the number below which a share of the range lies.

    Args:
      share: In [0, 1).
      whole: Whether only whole numbers count, both ends among them.
    """
    if whole:
      return math.floor(self.low + share * (self.high - self.low + 1))
    return self._rounded(self.low + share * (self.high - self.low))

  def _rounded(self, number: float) -> float:
    return min(max(float(f'{number:.{_DIGITS}g}'), self.low), self.high)


@dataclasses.dataclass(frozen=True)
class LogUniform(Uniform):
  """Every order of magnitude from `low`, above 0, to `high` is as likely as another."""

  def __post_init__(self) -> None:
    """Refuses an empty range, and one that starts at 0, of which there is no logarithm."""
    super().__post_init__()
    if self.low <= 0:
      raise UserError(f'the range {self} is empty: a logarithmic one begins above 0')

  def __str__(self) -> str:
    return f'log:{self.low:.12g}:{self.high:.12g}'

  def at(self, share: float, *, whole: bool = False) -> float:
    """Returns the number below which a share of the orders of magnitude lies; see `Uniform`."""
    if whole:
      return math.floor(self.low * ((self.high + 1) / self.low) ** share)
    return self._rounded(self.low * (self.high / self.low) ** share)


@dataclasses.dataclass(frozen=True)
class Choice:
  """One of a few values.

  Attributes:
    values: Those that there are.
  """

  values: tuple[Any, ...]

  def __post_init__(self) -> None:
    """Refuses an empty choice."""
    if not self.values:
      raise UserError('the range choice: is empty: write its values with commas')

  def __str__(self) -> str:
    return f'choice:{",".join(map(str, self.values))}'

  def at(self, share: float, *, whole: bool = False) -> Any:
    """Returns the value at a share, in [0, 1), of the list."""
    del whole
    return self.values[int(share * len(self.values))]


Range = Uniform | Choice


def declared(kind: type) -> dict[str, Range]:
  """Returns the ranges that the fields of a class say, by their names."""
  hints = typing.get_type_hints(kind, include_extras=True)
  said = {name: getattr(hint, '__metadata__', ()) for name, hint in hints.items()}
  return {name: each for name, extras in said.items() for each in extras if isinstance(each, Range)}


def parse(text: str) -> Range:
  """Returns the range that a text says; the values of a choice stay words.

  Raises:
    UserError: It says none, or an empty one.
  """
  kind, _, rest = text.partition(':')
  if kind == 'choice':
    return Choice(tuple(word for word in rest.split(',') if word))
  kinds = {'uniform': Uniform, 'log': LogUniform}
  try:
    low, high = map(float, rest.split(':'))
    return kinds[kind](low, high)
  except (KeyError, ValueError):
    raise UserError(
      f'{text!r} is no range: write log:LOW:HIGH, uniform:LOW:HIGH or choice:A,B,...'
    ) from None
