"""Memory banks: arrays with a row for each example of a domain."""

import jax
import jax.numpy as jnp


def written(bank: jax.Array, index: jax.Array, rows: jax.Array) -> jax.Array:
  """Returns a bank in which the rows of a batch take the place of what was there.

  Args:
    bank: `[examples, ...]`.
    index: int `[batch]`, of each row in the bank.
    rows: `[batch, ...]`.
  """
  return bank.at[places(index, len(bank))].set(rows, mode='drop')


def places(index: jax.Array, examples: int) -> jax.Array:
  """Returns where each row of a batch is written, so that no place is written twice.

  A batch may hold an example twice, where it ends one epoch and begins the next. Which of two
  writes wins is left open by XLA, and could differ between devices: here the later; the place of
  the earlier is past the end of the bank.

  Args:
    index: int `[batch]`.
    examples: The rows of the bank.
  """
  later = jnp.triu(index[:, None] == index[None, :], 1).any(axis=1)
  return jnp.where(later, examples, index)
