"""Invariant risk minimisation (Arjovsky et al., 2019)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda import axis
from tlda.methods import needs
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.generalization.generalization import Generalization, stepped
from tlda.methods.method import Outputs, Terms
from tlda.ranges import LogUniform


class IRM(Generalization):
  """Looks for features on which one and the same head is optimal in every source.

  Arjovsky, Bottou, Gulrajani, Lopez-Paz: *Invariant Risk Minimization*, arXiv 1907.02893 (2019),
  in its practical form IRMv1, with the risk R_e(s) of source e where all logits are
  multiplied by a scale s:

    mean_e R_e(1) + weight mean_e (dR_e/ds at s = 1)^2

  The slope in s is that of the whole batch of a source, so that its square is a little too large:
  by its variance over batches.

  Departs from the paper: means over sources, not sums. Departs from the authors' code: terms are
  not divided by the weight where that is large; the optimizer's rate says how far a step goes.

  Attributes:
    weight: Of the penalty (the paper's lambda; 100 in DomainBed, 10,000 in the authors' code for
      coloured MNIST). One that is large before risks have fallen keeps all logits alike, where the
      penalty is 0 as well.
    begin: The share of training before which the weight is 1, so that risks fall first (500 of
      5,000 steps in DomainBed).
  """

  weight: Annotated[float, LogUniform(0.1, 1e5)] = 1.0
  begin: float = 0.1

  def check(self, batch_size: int) -> None:
    """Refuses a single source, a negative weight, and a beginning that is no share."""
    super().check(batch_size)
    needs.at_least(self, 0, 'weight')
    needs.shares(self, 'begin')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the mean of the risks, and the penalty of their slopes."""
    outputs = self.by_source(batch)
    slopes = axis.mean(self.slopes(outputs, batch.source))
    weight = stepped(context, self.weight, self.begin)
    return {
      'task': self.risks(outputs, batch.source).mean(),
      'penalty': weight * jnp.square(slopes).mean(),
    }

  def slopes(self, outputs: Outputs, examples: Examples) -> jax.Array:
    """Returns how fast each risk on this device grows with the scale of logits, `[sources]`."""

    def slope(logits: jax.Array, labels: jax.Array) -> jax.Array:
      return jax.grad(lambda scale: self.task.loss(scale * logits, labels).mean())(1.0)

    return jax.vmap(slope)(outputs.logits, examples.labels)
