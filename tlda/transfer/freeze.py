"""Freezing chosen weights: by the pattern of their names, or up to a layer."""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

from tlda.errors import UserError, nearest
from tlda.transfer.strategy import Leaf, Strategy, pattern


@dataclasses.dataclass(frozen=True)
class Freeze(Strategy):
  """Freezes the weights that are named; batch statistics of the backbone too.

  `--dry_run` lists the names of all weights.

  Attributes:
    pattern: A regular expression; weights in whose path it is found are frozen.
    up_to: A part of the backbone, such as layer2_1; it and all before it are frozen.
  """

  normalization: ClassVar[str | None] = 'frozen'

  pattern: str = ''
  up_to: str = ''

  def moves(self, leaf: Leaf) -> bool:
    """Tells whether neither setting names the parameter."""
    last = self._last(leaf)
    return not self._is_named(leaf) and (leaf.is_new or last is None or leaf.depth > last)

  def check(self, leaves: Sequence[Leaf]) -> None:
    """Refuses a pattern that no path has, and a layer that is not there."""
    if not (self.pattern or self.up_to):
      raise UserError('--transfer=freeze freezes nothing: give --freeze.pattern or --freeze.up_to')
    if self.pattern and not any(map(self._is_named, leaves)):
      known = {part for leaf in leaves for part in leaf.path.split('/')}
      raise UserError(
        f'{nearest("part of a parameter", self.pattern, known)}; --dry_run lists them'
      )
    if self.up_to and self._last(leaves[0]) is None:
      known = [part for layer in leaves[0].layers for part in layer]
      raise UserError(nearest('part of the backbone', self.up_to, known))

  def _is_named(self, leaf: Leaf) -> bool:
    named = pattern('freeze.pattern', self.pattern)
    return bool(self.pattern) and named.search(leaf.path) is not None

  def _last(self, leaf: Leaf) -> int | None:
    """Returns the depth of the last layer that is frozen."""
    return next((depth for depth, layer in enumerate(leaf.layers) if self.up_to in layer), None)
