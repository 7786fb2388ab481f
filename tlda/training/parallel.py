"""The only file that knows devices: one pure function, run on one device, eight, or a pod.

`pmap` and `shard_map` run the same function and give the same numbers. In both, gradients must be
those of the local loss followed by an explicit mean, so variance checking is off in `shard_map`:
with it on, gradients of replicated parameters arrive already summed, and the mean that follows
would leave them too large by the number of devices, silently.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from tlda.axis import AXIS
from tlda.errors import UserError, nearest

STYLES = ('pmap', 'shard_map')

# (state, arrays, feed with a leading dimension of devices) -> replicated results
Function = Callable[[Any, Any, Any], Any]


class Parallel:
  """The devices of a run, and how a function is mapped over them.

  Attributes:
    style: 'pmap' or 'shard_map'.
    devices: The number of devices, on all hosts.
  """

  def __init__(
    self, style: str | None, batch_size: int, devices: Sequence[jax.Device] | None = None
  ) -> None:
    """Takes the devices.

    Args:
      style: 'pmap', 'shard_map', or None: pmap on one host, shard_map across hosts.
      batch_size: The global batch size, which the devices share evenly.
      devices: Which devices; None takes all, of all hosts.

    Raises:
      UserError: No such style, a style that cannot do it, or a batch that cannot be shared evenly.
    """
    several_hosts = jax.process_count() > 1
    self.style = style or ('shard_map' if several_hosts else 'pmap')
    self._devices = list(devices or jax.devices())
    self.devices = len(self._devices)
    if self.style not in STYLES:
      raise UserError(nearest('value of --distribute', self.style, STYLES))
    if several_hosts and self.style == 'pmap':
      raise UserError('--distribute=pmap runs on one host; across hosts use --distribute=shard_map')
    if batch_size < 1 or batch_size % self.devices:
      raise UserError(
        f'--batch_size={batch_size} cannot be shared evenly by {self.devices} devices'
      )
    # Not `jax.make_mesh`, which puts TPUs into another order than that in which `split` cuts.
    mesh = Mesh(np.array(self._devices), (AXIS,), axis_types=(AxisType.Auto,))
    self._mesh, self._replicated = mesh, NamedSharding(mesh, P())
    self._sharded = NamedSharding(mesh, P(AXIS))

  def compile(self, function: Function, *, donates: bool = False) -> Function:
    """Maps `function(state, arrays, feed)` over devices and compiles it.

    Args:
      function: Of replicated state and arrays, and this device's part of the feed. What it returns
        must be the same on every device.
      donates: Whether the state's memory may be reused for the results.

    Returns:
      The function of replicated state and arrays and of a feed as `shard` returns it.
    """
    donated = (0,) if donates else ()
    if self.style == 'pmap':
      return jax.pmap(
        function,
        axis_name=AXIS,
        in_axes=(None, None, 0),
        out_axes=None,
        donate_argnums=donated,
        devices=self._devices,
      )

    def body(state: Any, arrays: Any, feed: Any) -> Any:
      return function(state, arrays, jax.tree.map(lambda x: x[0], feed))

    mapped = jax.shard_map(
      body, mesh=self._mesh, in_specs=(P(), P(), P(AXIS)), out_specs=P(), check_vma=False
    )
    return jax.jit(mapped, donate_argnums=donated)

  def split(self, rows: np.ndarray, axis: int = 0) -> np.ndarray:
    """Cuts the rows of a global batch into the parts of this host's devices.

    Args:
      rows: The batch runs along dimension `axis`.
      axis: That dimension.

    Returns:
      `[devices of this host, ...]`, where dimension `axis` of the rest is a device's share.
    """
    share = rows.shape[axis] // self.devices
    shape = (*rows.shape[:axis], self.devices, share, *rows.shape[axis + 1 :])
    parts = np.moveaxis(rows.reshape(shape), axis, 0)
    own = [device.process_index == jax.process_index() for device in self._devices]
    return parts[np.asarray(own)]

  def shard(self, feed: Any) -> Any:
    """Places a feed, arrays `[devices of this host, ...]`, for a compiled function."""
    if self.style == 'pmap':
      return feed
    return jax.tree.map(lambda x: jax.make_array_from_process_local_data(self._sharded, x), feed)

  def replicate(self, tree: Any) -> Any:
    """Places a tree of host arrays on every device."""

    def place(x: np.ndarray) -> jax.Array:
      x = np.asarray(x)
      return jax.make_array_from_callback(x.shape, self._replicated, lambda _: x)

    return jax.tree.map(place, tree)

  def create(self, function: Callable[..., Any], *args: Any) -> Any:
    """Computes `function(*args)` once on each host, and places it on every device."""
    return self.replicate(to_host(jax.jit(function)(*args)))


def to_host(tree: Any) -> Any:
  """Copies replicated arrays to this host as NumPy arrays."""
  return jax.tree.map(lambda x: np.array(x), tree)


def is_first_host() -> bool:
  """Tells whether this process writes the files that only one may write."""
  return jax.process_index() == 0


def hosts() -> int:
  """Returns the number of processes."""
  return jax.process_count()


def barrier(name: str) -> None:
  """Waits until every host is here."""
  if jax.process_count() > 1:
    multihost_utils.sync_global_devices(name)


def agree(number: int) -> bool:
  """Tells whether every host says the same number."""
  if jax.process_count() == 1:
    return True
  return bool((multihost_utils.process_allgather(np.int32(number)) == number).all())


def from_first_host(numbers: np.ndarray) -> np.ndarray:
  """Returns, on every host, the float64 numbers of the first; all give arrays of one shape."""
  if jax.process_count() == 1:
    return numbers
  halves = multihost_utils.broadcast_one_to_all(numbers.view(np.int32))  # JAX has no float64 here.
  return np.asarray(halves).view(np.float64)


def any_host_preempted(step: int) -> bool:
  """Tells, with the same answer on every host, whether the cluster announced a preemption."""
  return multihost_utils.reached_preemption_sync_point(step)


def is_accelerator() -> bool:
  """Tells whether the devices are GPUs or TPUs."""
  return jax.default_backend() != 'cpu'


def describe() -> dict[str, Any]:
  """Returns what the devices are: kind, number and hosts."""
  return {
    'kind': jax.devices()[0].device_kind,
    'platform': jax.default_backend(),
    'devices': jax.device_count(),
    'hosts': jax.process_count(),
  }


def connect(coordinator: str | None, processes: int | None, process: int | None) -> None:
  """Joins this process to the others of a pod, before any device is touched.

  Args:
    coordinator: `host:port` of the first process; None where the cluster says it (Cloud TPU,
      Slurm).
    processes: Their number; None as above.
    process: This one's number; None as above.

  Raises:
    UserError: There is no such cluster.
  """
  jax.config.update('jax_enable_preemption_service', True)
  try:
    jax.distributed.initialize(coordinator, processes, process, heartbeat_timeout_seconds=30)
  except (RuntimeError, ValueError) as error:
    raise UserError(f'cannot join the other hosts: {error}') from error
