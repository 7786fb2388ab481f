"""The domain classifier: tells source features from target features."""

import flax.linen as nn
import jax

from tlda.models.heads import MLPHead


class DomainClassifier(nn.Module):
  """A small dense network with one logit, positive for the source (Ganin et al., 2016).

  It sees features through `gradient_reversal`, which its user applies.

  Attributes:
    hidden: The widths of the hidden layers; none makes it a logistic regression.
    dropout: The share of each hidden layer that is dropped in training (needs the key 'dropout').
  """

  hidden: tuple[int, ...] = (100,)
  dropout: float = 0.0

  @nn.compact
  def __call__(self, features: jax.Array, *, train: bool = False) -> jax.Array:
    """Returns domain logits `[batch]` of features `[batch, d]`."""
    return MLPHead(self.hidden, 1, self.dropout, name='mlp')(features, train=train)[:, 0]

  @nn.nowrap
  def of_several(self, domains: int) -> MLPHead:
    """Returns a network of the same make that has a logit for each of several domains."""
    return MLPHead(self.hidden, domains, self.dropout, parent=None)
