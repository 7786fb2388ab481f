"""What every task offers."""

from typing import Protocol

import jax

Metrics = dict[str, tuple[jax.Array, jax.Array]]


class Task(Protocol):
  """A loss, a prediction and metrics; hashable, since it is a field of a method."""

  def loss(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Returns the loss of each example: `[batch]`."""

  def predict(self, logits: jax.Array) -> jax.Array:
    """Returns the prediction for each example: `[batch, ...]`."""

  def metrics(self, logits: jax.Array, labels: jax.Array, mask: jax.Array) -> Metrics:
    """Returns (sum, count) of each metric over the examples where `mask` `[batch]` is 1."""
