"""What a batch leaves in a memory bank."""

import jax.numpy as jnp
import numpy as np

from tlda.methods.bank import places, written


def test_no_place_is_written_twice() -> None:
  index = jnp.array([3, 0, 3, 4, 3, 4])
  np.testing.assert_array_equal(places(index, 5), [5, 0, 5, 5, 3, 4])


def test_of_an_example_that_comes_again_the_last_row_stays() -> None:
  bank = jnp.arange(10.0).reshape(5, 2)
  rows = jnp.array([[10.0, 10.0], [20.0, 20.0], [30.0, 30.0], [40.0, 40.0]])
  found = written(bank, jnp.array([3, 0, 3, 4]), rows)
  np.testing.assert_array_equal(found, [[20, 20], [2, 3], [4, 5], [30, 30], [40, 40]])
