"""Where in an image a network sees a class."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from tlda.errors import UserError, nearest
from tlda.evaluation.perturbed import perturbed

# `inputs [batch, height, width, channels] -> (logits [batch, classes], 'intermediates')`
Network = Callable[[jax.Array], tuple[jax.Array, Mapping[str, Any]]]

# Places a side: a map of fewer says little of where.
FEWEST = 4


class Grid(NamedTuple):
  """The places of a stage.

  Attributes:
    rows: From top to bottom.
    columns: From left to right.
    tokens: Whether they are tokens `[batch, tokens, channels]`, with or without a class token
      before them, and no feature map.
  """

  rows: int
  columns: int
  tokens: bool


def grad_cam(
  network: Network, inputs: ArrayLike, classes: ArrayLike, *, stage: str | None = None
) -> np.ndarray:
  """Computes gradient-weighted class activation maps.

  Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra, *Grad-CAM: Visual explanations from deep
  networks via gradient-based localization* (ICCV 2017), equations 1 and 2: channels of a stage are
  added up, each with the weight of its gradient's mean over places, and what is negative is cut
  off. Each map is then divided by its maximum. A transformer's tokens become the grid of patches
  that they are of; its class token is left out.

  Args:
    network: A pure function, in evaluation mode: an extractor and its head, bound to variables. Of
      a method, for instance: `outputs, sown = method.apply(variables, inputs, domain,
      mutable=['intermediates'])`, which returns `outputs.logits, sown['intermediates']`. Stages are
      sown as `stage1`, `stage2`, ... and are on the way to the logits.
    inputs: `[batch, height, width, channels]`, as the network takes them.
    classes: int `[batch]`, the class that is looked for in each.
    stage: Where it is looked for; None is `usual_stage`.

  Returns:
    float32 `[batch, rows, columns]` in [0, 1]; all 0 where nothing speaks for the class.

  Raises:
    UserError: The network has no stage with places, or not this one; a class is not among the
      logits; there is not one class for each image.
  """
  inputs, classes = jnp.asarray(inputs), np.asarray(classes)
  grids = spatial_stages(network, inputs)
  stage = stage or usual_stage(grids)
  if stage is None:
    raise UserError('the network has no stage with places to look at: it sees vectors')
  if stage not in grids:
    raise UserError(nearest('stage', stage, grids))
  _check_classes(classes, jax.eval_shape(network, inputs)[0].shape)

  def leaves(inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
    logits, sown = network(inputs)
    return logits, _stages(sown)[stage]

  run, constants = perturbed(leaves, inputs, 1)

  def score(shift: jax.Array, constants: Any, inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
    logits, value = run(constants, inputs, shift)
    return logits[np.arange(len(classes)), classes].sum(), value

  zeros = jax.tree.map(jnp.zeros_like, jax.eval_shape(leaves, inputs)[1])
  slopes, values = jax.jit(jax.grad(score, has_aux=True))(zeros, constants, inputs)
  return _maps(_on_grid(slopes, grids[stage]), _on_grid(values, grids[stage]))


def spatial_stages(network: Network, inputs: ArrayLike) -> dict[str, Grid]:
  """Returns the places of those sown stages that have any, by name, from the input on."""
  inputs = jnp.asarray(inputs)
  sown = _stages(jax.eval_shape(network, inputs)[1])
  names = sorted(sown, key=lambda name: (len(name), name))
  grids = {name: _grid(sown[name].shape, inputs.shape) for name in names}
  return {name: grid for name, grid in grids.items() if grid is not None}


def usual_stage(grids: Mapping[str, Grid]) -> str | None:
  """Returns the stage to look at: the last with at least 4 rows and 4 columns.

  Deep stages know classes, but of a small image the last ones have lost the places. Of a
  transformer it is the last but one: after the last block, a head that reads the class token is
  blind to all others.
  """
  names = [name for name, grid in grids.items() if min(grid.rows, grid.columns) >= FEWEST]
  blind = len(names) > 1 and grids[names[-1]].tokens
  return names[-1 - blind] if names else None


def _stages(sown: Mapping[str, Any]) -> dict[str, jax.Array]:
  """Returns what was sown as a stage, by name, wherever in the network."""
  found = jax.tree_util.tree_leaves_with_path(sown)
  return {path[-2].key: leaf for path, leaf in found if str(path[-2].key).startswith('stage')}


def _grid(shape: tuple[int, ...], image: tuple[int, ...]) -> Grid | None:
  """Returns the places of a stage: of a feature map, or of the tokens of square patches."""
  if len(shape) == 4:
    return Grid(*shape[1:3], tokens=False)
  if len(shape) != 3 or len(image) != 4:
    return None
  height, width = image[1:3]
  for count in (shape[1], shape[1] - 1):  # without and with a class token
    rows = round(math.sqrt(count * height / width))
    if rows and count % rows == 0 and rows * width == count // rows * height:
      return Grid(rows, count // rows, tokens=True)
  return None


def _on_grid(array: jax.Array, grid: Grid) -> np.ndarray:
  """Returns float32 `[batch, rows, columns, channels]` of a stage; a class token is dropped."""
  array = np.asarray(array, np.float32)
  if grid.tokens:
    array = array[:, -grid.rows * grid.columns :]
  return array.reshape(len(array), grid.rows, grid.columns, -1)


def _maps(slopes: np.ndarray, values: np.ndarray) -> np.ndarray:
  """Returns maps `[batch, rows, columns]` of gradients and values `[batch, rows, columns, c]`."""
  weights = slopes.mean((1, 2), keepdims=True)
  maps = np.maximum((weights * values).sum(-1), 0)
  peaks = maps.max((1, 2), keepdims=True)
  return np.divide(maps, peaks, out=np.zeros_like(maps), where=peaks > 0)


def _check_classes(classes: np.ndarray, logits: tuple[int, ...]) -> None:
  """Raises unless there is a class for each row of the logits."""
  if classes.shape != logits[:1] or not np.issubdtype(classes.dtype, np.integer):
    raise UserError(f'there are {logits[0]} images, and classes of shape {list(classes.shape)}')
  if not 0 <= classes.min() <= classes.max() < logits[1]:
    raise UserError(f'classes to look for are from 0 to {logits[1] - 1}')
