"""Mixup (Zhang et al., 2018)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda import axis
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Terms
from tlda.methods.target_only import TargetOnly
from tlda.ranges import Uniform


def mixup(
  key: jax.Array, inputs: jax.Array, targets: jax.Array, *, alpha: float = 0.2
) -> tuple[jax.Array, jax.Array]:
  """Mixes each example with another of the global batch, in one random proportion for all.

  Zhang, Cisse, Dauphin, Lopez-Paz: *mixup: Beyond Empirical Risk Minimization* (ICLR 2018), eq. 1
  and figure 1: `share * (x, y) + (1 - share) * (x', y')` with a share of Beta(alpha, alpha). The
  partners are a permutation of the batch.

  Args:
    key: Random key, the same on every device.
    inputs: `[batch, ...]` float, the rows on this device.
    targets: `[batch, classes]` float, the probabilities of their classes.
    alpha: The larger, the nearer to one half is the share.

  Returns:
    Inputs and targets of the same shapes.
  """
  draw, order = jax.random.split(key)
  share = jax.random.beta(draw, alpha, alpha)
  mix = lambda x, other: share * x + (1 - share) * other
  return mix(inputs, partners(order, inputs)), mix(targets, partners(order, targets))


def partners(key: jax.Array, rows: jax.Array) -> jax.Array:
  """Permutes the rows of the global batch.

  Args:
    key: Random key, the same on every device; it alone says which row goes where.
    rows: `[batch, ...]`, those on this device.

  Returns:
    `[batch, ...]`: what stands at these places afterwards, from whichever device.
  """
  every = axis.gather(rows)
  permutation = jax.random.permutation(key, len(every))
  return every[axis.own(permutation)]


class Mixup(TargetOnly):
  """Learns from mixtures of two labelled examples and of their labels (Zhang et al., 2018).

  Supervised, as `target_only` is: the target is learned from, with its labels. The mixture is
  drawn anew at each step, one for the global batch.

  Attributes:
    alpha: Of the Beta distribution of the share of the first example (the paper's 0.1 to 0.4 on
      ImageNet); the larger, the nearer to one half.
  """

  alpha: Annotated[float, Uniform(0.1, 0.4)] = 0.2

  def check(self, batch_size: int) -> None:
    """Refuses text, which cannot be mixed, and a distribution that there is not."""
    del batch_size
    needs.amounts(self)
    needs.above(self, 0, 'alpha')

  def mix(
    self, key: jax.Array, inputs: jax.Array, targets: jax.Array
  ) -> tuple[jax.Array, jax.Array]:
    """Returns mixed inputs `[batch, ...]` and targets `[batch, classes]`."""
    return mixup(key, inputs, targets, alpha=self.alpha)

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the mixtures."""
    classes = jnp.arange(self.spec.classes)
    targets = jax.nn.one_hot(batch.target.labels, len(classes))
    inputs, targets = self.mix(context.key('mixup'), batch.target.inputs, targets)
    logits = self.forward(inputs, batch.target.domain, train=True).logits
    # Cross-entropy is linear in the target: that of a mixture is the mixture of all classes'.
    of_class = lambda label: self.task.loss(logits, jnp.full(len(logits), label))
    return {'task': jnp.sum(targets * jax.vmap(of_class, out_axes=1)(classes), axis=1).mean()}
