"""The mapped axis: one name for all devices, and what is computed across them.

Everything here is the identity where nothing is mapped, so the same module runs in a notebook,
under `init`, and on 256 devices. Which of these it is, is known when the function is traced.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

AXIS = 'devices'


def is_mapped() -> bool:
  """Tells whether the function being traced is mapped over devices."""
  try:
    lax.axis_size(AXIS)
  except NameError:
    return False
  return True


def size() -> int:
  """Returns the number of devices that the batch is spread over (1 where nothing is mapped)."""
  return lax.axis_size(AXIS) if is_mapped() else 1


def index() -> jax.Array:
  """Returns this device's place on the axis, an int32 scalar (0 where nothing is mapped)."""
  return lax.axis_index(AXIS) if is_mapped() else jnp.int32(0)


def gather(x: jax.Array, axis: int = 0) -> jax.Array:
  """Joins the rows of all devices, in the order of the global batch.

  A loss that looks at a batch as a whole (MMD, CORAL, a label marginal) takes gathered rows, so
  that its value on 8 devices is the value on 1.
  Rows of several sources, flattened into one batch, come device by device.

  Args:
    x: `[rows on this device, ...]`, or any array whose dimension `axis` is spread over devices.
    axis: The dimension along which the rows of all devices are joined.

  Returns:
    `[rows on all devices, ...]`, the same on every device.
  """
  return lax.all_gather(x, AXIS, axis=axis, tiled=True) if is_mapped() else x


def own(rows: jax.Array, axis: int = 0) -> jax.Array:
  """Returns this device's rows `[rows on this device, ...]` of gathered ones: `gather` undone.

  Args:
    rows: `[rows on all devices, ...]`, or any array whose dimension `axis` was gathered.
    axis: The dimension along which the rows of all devices are joined.
  """
  share = rows.shape[axis] // size()
  return lax.dynamic_slice_in_dim(rows, index() * share, share, axis)


def mean(tree: Any) -> Any:
  """Averages each array of a tree over devices."""
  return lax.pmean(tree, AXIS) if is_mapped() else tree


def sum(tree: Any) -> Any:  # noqa: A001 - `axis.sum` is read with its module.
  """Sums each array of a tree over devices."""
  return lax.psum(tree, AXIS) if is_mapped() else tree
