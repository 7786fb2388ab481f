"""Task heads: from features to logits."""

import flax.linen as nn
import jax


class Linear(nn.Module):
  """One dense layer.

  Attributes:
    classes: The number of logits.
  """

  classes: int

  @nn.compact
  def __call__(
    self, features: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Returns logits `[batch, classes]` of features `[batch, d]`."""
    del domain, train
    return nn.Dense(self.classes, name='logits')(features)


class MLPHead(nn.Module):
  """Dense layers with ReLU, then the logits.

  Attributes:
    hidden: The widths of the hidden layers.
    classes: The number of logits.
    dropout: The share of each hidden layer that is dropped in training (needs the key 'dropout').
  """

  hidden: tuple[int, ...]
  classes: int
  dropout: float = 0.0

  @nn.compact
  def __call__(
    self, features: jax.Array, *, domain: jax.Array | int = 0, train: bool = False
  ) -> jax.Array:
    """Returns logits `[batch, classes]` of features `[batch, d]`."""
    del domain
    for place, width in enumerate(self.hidden, 1):
      features = nn.relu(nn.Dense(width, name=f'hidden{place}')(features))
      features = nn.Dropout(self.dropout, deterministic=not train)(features)
    return nn.Dense(self.classes, name='logits')(features)
