"""Several seeds in one run: together under `vmap` where that is faster, else in turns.

Dense networks gain from `vmap` anywhere, and everything does on an accelerator. Convolutions on a
CPU become grouped ones under it, 4 to 6 times slower a seed: there a step is a loop over compiled
steps.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from tlda.training import parallel
from tlda.training.parallel import Function, Parallel


def together(input_shape: tuple[int, ...], seeds: int) -> bool:
  """Tells whether seeds run under `vmap`: on an accelerator, and for feature vectors anywhere."""
  return seeds > 1 and (parallel.is_accelerator() or len(input_shape) == 1)


class Program:
  """A compiled function of the state of every seed.

  The states of a run are a list: one state a seed where seeds take turns, a single one with a
  leading dimension of seeds where they run together.
  """

  def __init__(
    self,
    devices: Parallel,
    function: Function,
    *,
    together: bool,
    shares_feed: bool = False,
    donates: bool = False,
  ) -> None:
    """Compiles `function(state, arrays, feed)`, written for one seed.

    Args:
      devices: What it runs on.
      function: The function of one seed.
      together: Whether seeds run under `vmap`.
      shares_feed: Whether all seeds get the same feed.
      donates: Whether states may be reused for the results.
    """
    self._devices, self._together, self._shares_feed = devices, together, shares_feed
    if together:
      function = jax.vmap(function, in_axes=(0, None, None if shares_feed else 0))
    self._compiled = devices.compile(function, donates=donates)

  def __call__(self, states: Sequence[Any], arrays: Any, feeds: Sequence[Any]) -> list[Any]:
    """Runs once for every seed.

    Args:
      states: The states.
      arrays: Replicated arrays that all seeds share.
      feeds: One a seed, or a single one that all share; arrays `[devices, ...]`.

    Returns:
      A result for each of `states`.
    """
    if self._together:
      feed = feeds[0]
      if not self._shares_feed:
        feed = jax.tree.map(lambda *x: np.stack(x, axis=1), *feeds)
      return [self._compiled(states[0], arrays, self._devices.shard(feed))]
    feeds = [self._devices.shard(feed) for feed in feeds]
    if self._shares_feed:
      feeds = feeds * len(states)
    return [self._compiled(state, arrays, feed) for state, feed in zip(states, feeds, strict=True)]


def create(
  devices: Parallel, function: Callable[[jax.Array], Any], seeds: Sequence[int], *, together: bool
) -> list[Any]:
  """Returns the states that `function(seed)` makes, on all devices."""
  numbers = np.asarray(seeds, np.int32)
  if together:
    return [devices.create(jax.vmap(function), numbers)]
  return [devices.create(function, number) for number in numbers]


def stack(states: Sequence[Any], *, together: bool) -> Any:
  """Returns states, or results, as host arrays with a leading dimension of seeds."""
  host = [parallel.to_host(state) for state in states]
  return host[0] if together else jax.tree.map(lambda *x: np.stack(x), *host)


def unstack(devices: Parallel, tree: Any, *, together: bool) -> list[Any]:
  """Returns states on all devices from host arrays with a leading dimension of seeds."""
  if together:
    return [devices.replicate(tree)]
  count = len(jax.tree.leaves(tree)[0])
  return [
    devices.replicate(jax.tree.map(lambda x, place=place: x[place], tree)) for place in range(count)
  ]
