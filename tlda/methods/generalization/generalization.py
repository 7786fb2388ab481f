"""The base of methods that compare the sources with one another, and know no target."""

from typing import ClassVar

import jax
import jax.numpy as jnp

from tlda.methods import needs
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.method import Method, Outputs


class Generalization(Method):
  """Learns from several sources what should hold in a domain that it has never seen.

  The target is not read: it is only what the run is measured on. Plain empirical risk minimisation
  over all sources is `source_only`.
  """

  reads: ClassVar[frozenset[str]] = frozenset({'source'})

  def check(self, batch_size: int) -> None:
    """Refuses a single source."""
    del batch_size
    needs.sources(self)

  def by_source(self, batch: Batch) -> Outputs:
    """Passes all sources through the network at once, as in training.

    Returns:
      `[sources, examples on this device, ...]` features and logits.
    """
    (outputs,) = self.outputs(batch)
    count = len(self.spec.sources)
    return jax.tree.map(lambda x: x.reshape(count, -1, *x.shape[1:]), outputs)

  def risks(self, outputs: Outputs, examples: Examples) -> jax.Array:
    """Returns the mean task loss of each source on this device, `[sources]`."""
    return jax.vmap(lambda logits, labels: self.task.loss(logits, labels).mean())(
      outputs.logits, examples.labels
    )


def stepped(context: Context, weight: float, begin: float) -> jax.Array:
  """Returns the weight of a penalty, a scalar: 1 up to the share `begin` of training, then its own.

  A strong penalty from the first step on would keep the risks equal and high.
  """
  return jnp.where(context.progress < begin, 1.0, weight)
