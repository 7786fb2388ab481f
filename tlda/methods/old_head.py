"""What several methods share: the head of the task that the start weights were trained for."""

from typing import ClassVar

import flax.linen as nn
import jax

from tlda.errors import UserError
from tlda.methods import needs
from tlda.methods.batch import Examples
from tlda.methods.method import Method
from tlda.methods.referenced import Referenced


class WithOldHead(Referenced):
  """Training on the labelled target of a network that keeps its old head beside a new one.

  The reference has the old head too, and so says what the start network said of the old classes.

  Attributes:
    old_head: `(features, *, domain, train) -> logits` of the old classes, None where there is none.
      It is a parameter group: its first weights are given, as the extractor's are.
  """

  fresh: ClassVar[frozenset[str]] = frozenset({'head'})
  held: ClassVar[tuple[str, ...]] = ('extractor', 'old_head')

  old_head: nn.Module | None = None

  def check(self, batch_size: int) -> None:
    """Refuses start weights without an old head."""
    del batch_size
    if self.old_head is None:
      raise UserError(
        f'{type(self).__name__} needs the head of an old task: start from published weights that '
        'have one (--weights and --bottleneck=0), or from a finished run (--init_from)'
      )
    needs.at_least(self, 0, 'weight')
    needs.above(self, 0, 'temperature')

  def old_logits(self, features: jax.Array, examples: Examples) -> jax.Array:
    """Returns what the old head says of present features, `[batch, old classes]`."""
    return self.old_head(features, domain=examples.domain, train=True)

  def reference_logits(self, examples: Examples) -> jax.Array:
    """Returns what the start network said of the examples, `[batch, old classes]`, fixed."""
    return self.referred(_old_logits, examples)


def _old_logits(method: Method, inputs: jax.Array, domain: jax.Array | int) -> jax.Array:
  features = method.extractor(inputs, domain=domain, train=False)
  return method.old_head(features, domain=domain, train=False)
