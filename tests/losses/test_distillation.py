"""Numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tlda import losses


def test_distillation_of_two_classes() -> None:
  # At T = 2, logits 2 log 3 and 0 are odds of 3 to 1; the student knows nothing.
  teacher = jnp.array([[2 * np.log(3), 0.0]])
  found = losses.distillation(jnp.zeros((1, 2)), teacher, temperature=2.0)
  expected = 4 * (0.75 * np.log(1.5) + 0.25 * np.log(0.5))
  np.testing.assert_allclose(found, [expected], rtol=1e-6)


def test_at_a_high_temperature_the_gradient_is_that_of_the_logits() -> None:
  # Hinton et al., equation 4: (student - teacher) / classes, for logits of mean 0.
  student, teacher = jnp.array([[0.5, -0.5]]), jnp.array([[2.0, -2.0]])
  loss = lambda x: losses.distillation(x, teacher, temperature=1000.0).sum()
  np.testing.assert_allclose(jax.grad(loss)(student), (student - teacher) / 2, rtol=2e-3)


def test_hint_is_half_the_mean_square_of_any_shape() -> None:
  zeros = jnp.zeros((2, 2, 1, 2))
  found = losses.hint(zeros.at[0, 1, 0, 1].set(4.0), zeros)
  np.testing.assert_allclose(found, [16 / 4 / 2, 0])


def test_attention_is_of_positions_and_not_of_scale() -> None:
  # Energy (4, 3) -> (.8, .6) against (0, 9) -> (0, 1).
  student = jnp.array([[[2.0, 0.0], [-1.0, np.sqrt(2)]]])
  teacher = jnp.array([[[0.0], [3.0]]])
  found = losses.attention_transfer(student, teacher)
  np.testing.assert_allclose(found, [0.8**2 + 0.4**2], rtol=1e-6)
  np.testing.assert_allclose(losses.attention_transfer(5 * student, teacher), found, rtol=1e-6)


def test_maps_of_unlike_positions_are_refused() -> None:
  with pytest.raises(AssertionError, match='Chex'):
    losses.attention_transfer(jnp.zeros((2, 3, 3, 4)), jnp.zeros((2, 2, 2, 4)))
