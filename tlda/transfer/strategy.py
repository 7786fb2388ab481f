"""The base of all transfer strategies: which weights move, and how fast."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import flax.linen as nn
import jax
import optax

from tlda.errors import UserError

Layers = tuple[tuple[str, ...], ...]


@dataclasses.dataclass(frozen=True)
class Leaf:
  """Where a parameter stands in its network.

  Attributes:
    path: Its names from the top-level group on, 'extractor/backbone/layer1_0/conv1/kernel'.
    depth: Its layer of the backbone, from 0 at the input; the number of layers for what stands
      behind or beside it and is new to the task: bottleneck, heads, domain classifiers.
    layers: The names of the backbone's parts, layer by layer.
  """

  path: str
  depth: int
  layers: Layers

  @property
  def is_new(self) -> bool:
    """Whether it is no part of the backbone."""
    return self.depth == len(self.layers)


Locate = Callable[[str], Leaf]


def path_of(keys: Any) -> str:
  """Returns the key path of a leaf as names with slashes between them."""
  return jax.tree_util.keystr(keys, simple=True, separator='/')


def locator(layers: Layers) -> Locate:
  """Returns the function from a parameter's path to its place in the network.

  Args:
    layers: The names of the backbone's parts, layer by layer (`backbone.layers`).
  """
  depths = {part: depth for depth, layer in enumerate(layers) for part in layer}

  def locate(path: str) -> Leaf:
    group, *rest = path.split('/')
    while rest and rest[0] == 'backbone':
      rest = rest[1:]
    inside = group == 'extractor' and bool(rest)
    return Leaf(path, depths.get(rest[0], len(layers)) if inside else len(layers), layers)

  return locate


def group_of(leaf: Leaf, groups: int) -> int:
  """Returns the group of a leaf where the backbone's layers are cut into equal groups.

  Args:
    leaf: One of the backbone.
    groups: The number of groups; 0 makes every layer its own.

  Returns:
    From 0 at the input.
  """
  layers = len(leaf.layers)
  groups = min(groups, layers) or layers
  return leaf.depth * groups // layers


def has_part(leaves: Sequence[Leaf], part: str) -> bool:
  """Tells whether a part of some parameter's path has this name."""
  return any(part in leaf.path.split('/') for leaf in leaves)


def pattern(flag: str, text: str) -> re.Pattern[str]:
  """Returns the regular expression that a flag says.

  Raises:
    UserError: It is none.
  """
  try:
    return re.compile(text)
  except re.error as error:
    raise UserError(f'--{flag}={text} is no regular expression: {error}') from error


@dataclasses.dataclass(frozen=True)
class Strategy:
  """A way of moving the weights that a network came with. This one moves all of them alike.

  A subclass adds its settings as fields, each with a default and a line under `Attributes:` (they
  become flags), and overrides what it is about.

  Class attributes:
    normalization: The batch normalisation that the backbone should have, where it has any; None
      leaves the choice.
    waits: Whether the rate of a parameter that moves may be 0 for a while.
  """

  normalization: ClassVar[str | None] = None
  waits: ClassVar[bool] = False

  def moves(self, leaf: Leaf) -> bool:
    """Tells whether a parameter ever moves. One that does not costs no gradient and no memory."""
    del leaf
    return True

  def rate(self, leaf: Leaf, progress: jax.Array) -> jax.Array | float:
    """Returns what the learning rate is multiplied by.

    Args:
      leaf: The parameter.
      progress: The share of the planned training that is done, float32 scalar. While the result is
        0 the parameter is left bitwise as it is, and (of a strategy that `waits`) its gradients go
        into no moment.
    """
    del leaf, progress
    return 1.0

  def penalty(self, locate: Locate) -> optax.GradientTransformation:
    """Returns what is added to the gradients before all else."""
    del locate
    return optax.identity()

  def network(self, backbone: nn.Module) -> nn.Module:
    """Returns the backbone with what the strategy adds to it."""
    return backbone

  def check(self, leaves: Sequence[Leaf]) -> None:
    """Refuses settings that fit no parameter, before anything is compiled.

    Args:
      leaves: All parameters.

    Raises:
      UserError: What does not fit, and what would.
    """
    del leaves
