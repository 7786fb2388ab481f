"""The order of the devices: one for the mesh, for `pmap`, and for the parts of a batch."""

import jax
import numpy as np
import pytest

from tlda.training.parallel import Parallel


@pytest.mark.parametrize('style', ['pmap', 'shard_map'])
def test_the_mesh_has_the_order_in_which_a_batch_is_cut(
  style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
  """`jax.make_mesh` puts TPUs of a pod into another order than `jax.devices()`."""
  make = jax.make_mesh

  def turned(*args: object, devices: list[jax.Device], **options: object) -> jax.sharding.Mesh:
    return make(*args, devices=devices[::-1], **options)

  monkeypatch.setattr(jax, 'make_mesh', turned)
  devices = Parallel(style, 16)
  assert list(devices._mesh.devices.flat) == devices._devices
  rows = devices.split(np.arange(16))
  for place, shard in enumerate(devices.shard({'rows': rows})['rows']):
    np.testing.assert_array_equal(np.ravel(shard), rows[place])
