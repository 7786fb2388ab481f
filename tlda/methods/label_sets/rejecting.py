"""The base of methods that tell known classes apart and reject what none of them is."""

from typing import ClassVar

import jax
import jax.numpy as jnp

from tlda.methods.batch import Examples
from tlda.methods.method import Method, Outputs


class Rejecting(Method):
  """Learns the known classes as if there were no other, and rejects when it predicts.

  The head has a logit of 'unknown', the last, as in every problem whose target has classes that the
  source lacks; it is left out in training, and in a prediction it stands for the rejection: it is
  the largest where `rejects` says so, and the smallest elsewhere.
  """

  open_set: ClassVar[bool] = True

  def known(self, outputs: Outputs) -> jax.Array:
    """Returns the logits of the known classes, `[batch, known classes]`."""
    return outputs.logits[:, :-1]

  def known_loss(self, outputs: Outputs, examples: Examples) -> jax.Array:
    """Returns the mean task loss among the known classes, a scalar."""
    return self.task.loss(self.known(outputs), examples.flat().labels).mean()

  def rejects(self, outputs: Outputs) -> jax.Array:
    """Tells which examples are of no known class, `[batch]` bool, of outputs of a prediction."""
    raise TypeError(f'{type(self).__name__} rejects nothing')

  def __call__(self, inputs: jax.Array, domain: jax.Array | int) -> Outputs:
    """Predicts: a known class, or the last, unknown."""
    outputs = self.forward(inputs, domain, train=False)
    known = self.known(outputs)
    beyond = jnp.where(self.rejects(outputs), known.max(axis=1) + 1, known.min(axis=1) - 1)
    return outputs.replace(logits=jnp.concatenate([known, beyond[:, None]], axis=1))
