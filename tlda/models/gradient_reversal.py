"""The gradient-reversal layer (Ganin and Lempitsky, 2015)."""

import jax
import jax.numpy as jnp


def gradient_reversal(x: jax.Array, coefficient: jax.Array | float) -> jax.Array:
  """Returns `x` unchanged; backward, multiplies the gradient by `-coefficient`.

  Ganin and Lempitsky: *Unsupervised Domain Adaptation by Backpropagation*, ICML 2015. What reads
  the result learns at full weight; what computed `x` is driven the other way, `coefficient` times
  as fast.

  Args:
    x: Any shape and floating dtype, which the gradient keeps.
    coefficient: A scalar; may be traced, and receives no gradient.

  Returns:
    `x`.
  """
  return _reverse(x, jnp.asarray(coefficient, jnp.float32))


@jax.custom_vjp
def _reverse(x: jax.Array, coefficient: jax.Array) -> jax.Array:
  del coefficient
  return x


def _forward(x: jax.Array, coefficient: jax.Array) -> tuple[jax.Array, jax.Array]:
  return x, coefficient


def _backward(coefficient: jax.Array, gradient: jax.Array) -> tuple[jax.Array, jax.Array]:
  return (-coefficient * gradient).astype(gradient.dtype), jnp.zeros_like(coefficient)


_reverse.defvjp(_forward, _backward)
