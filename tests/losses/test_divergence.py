"""Numbers worked out by hand."""

import jax.numpy as jnp
import numpy as np

from tlda import losses


def test_the_teacher_is_what_is_averaged_over() -> None:
  # Teacher (3/4, 1/4) under student (1/2, 1/2), then the other way around.
  even, uneven = jnp.zeros((1, 2)), jnp.log(jnp.array([[3.0, 1.0]]))
  found = [losses.kullback_leibler(even, uneven), losses.kullback_leibler(uneven, even)]
  log_2, log_3 = np.log(2), np.log(3)
  expected = [0.75 * log_3 - log_2, log_2 - log_3 / 2]
  np.testing.assert_allclose(np.ravel(found), expected, rtol=1e-5)
