"""Classification: one class of several."""

import dataclasses

import jax
import jax.numpy as jnp

from tlda import losses
from tlda.tasks.task import Metrics


@dataclasses.dataclass(frozen=True)
class Classification:
  """Tells classes apart by cross-entropy.

  Attributes:
    label_smoothing: The share of the label's probability that is spread over all classes.
  """

  label_smoothing: float = 0.0

  def loss(self, logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Returns `[batch]` nats, of `[batch, classes]` logits and `[batch]` labels."""
    return losses.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)

  def predict(self, logits: jax.Array) -> jax.Array:
    """Returns the most probable class: `[batch]` int32."""
    return jnp.argmax(logits, axis=-1).astype(jnp.int32)

  def metrics(self, logits: jax.Array, labels: jax.Array, mask: jax.Array) -> Metrics:
    """Returns (sum, count) of the accuracy and of the confusion matrix.

    Rows of the matrix are true classes, columns predicted ones; it stays a sum.

    Args:
      logits: `[batch, classes]`.
      labels: `[batch]` int32.
      mask: `[batch]`, 1 for examples that count, 0 for padding.
    """
    classes = logits.shape[-1]
    predicted = self.predict(logits)
    correct = jnp.sum(mask * (predicted == labels))
    true = jax.nn.one_hot(labels, classes) * mask[:, None]
    confusion = true.T @ jax.nn.one_hot(predicted, classes)
    return {'accuracy': (correct, jnp.sum(mask)), 'confusion_matrix': (confusion, jnp.float32(1))}
