"""Parameters in two parts, those that move and those that do not.

Both have the shape of the whole with None in place of the other's leaves. None is no leaf, so only
what moves is differentiated, averaged over devices and given an optimizer's state.
"""

from collections.abc import Callable
from typing import Any

import jax

from tlda.transfer.strategy import path_of

Tree = Any


def split(params: Tree, moves: Callable[[str], bool]) -> tuple[Tree, Tree]:
  """Returns what moves, and what stays.

  Args:
    params: Parameters by top-level group.
    moves: Tells of a path, 'extractor/conv1/kernel', whether the parameter moves.
  """
  keep = lambda wanted: jax.tree.map_with_path(
    lambda keys, leaf: leaf if moves(path_of(keys)) == wanted else None, params
  )
  return keep(True), keep(False)


def merge(moving: Tree, still: Tree) -> Tree:
  """Returns the whole of two parts."""
  pick = lambda left, right: right if left is None else left
  return jax.tree.map(pick, moving, still, is_leaf=lambda leaf: leaf is None)
