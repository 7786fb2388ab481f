"""Statistics of the test batch, mixed with those of the source (Schneider et al., 2020)."""

from collections.abc import Callable
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Phase, States, Terms, Variables
from tlda.methods.test_time.online import Online
from tlda.models import Normalization


class BatchNormAdaptation(Online):
  """Normalises each batch by its own statistics, with the source's as so many examples more.

  Schneider, Rusak, Eck, Bringmann, Brendel, Bethge: *Improving robustness against common
  corruptions by covariate shift adaptation*, NeurIPS 2020, eq. 1: of a batch of n examples, in
  every batch normalisation, with statistics (mean, variance) of source s and batch t,

    N / (N + n) s + n / (N + n) t

  A prior N of 0 is the batch alone (Nado et al., 2020: prediction-time batch normalisation). No
  parameter moves, and the statistics forget each batch with the next: a stream without a memory.

  Attributes:
    prior: N, the examples that the source's statistics count as (16 serves small batches in the
      paper; 0 in Nado et al.).
  """

  normalization: ClassVar[str | None] = 'joint'

  prior: float = 16.0

  def check(self, batch_size: int) -> None:
    """Refuses what has no statistics: no batch normalisation, or a single example alone."""
    needs.batch_normalization(self)
    needs.at_least(self, 0, 'prior')
    if not self.prior:
      needs.examples(self, batch_size)

  def phases(self) -> tuple[Phase, ...]:
    """Returns a phase that trains nothing."""
    return (Phase('statistics', trains=()),)

  def initial_states(self, variables: Variables) -> States:
    """Returns the statistics of the source: those that the stream begins with."""
    return {'source': variables['batch_stats']}

  def answer(self, batch: Batch, context: Context) -> jax.Array:
    """Returns the logits with the mixed statistics, which become the running ones."""
    del context
    target = batch.target
    with nn.intercept_methods(self._mixed):
      return self.forward(target.inputs, target.domain, train=False).logits

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Mixes the statistics; minimises nothing, and watches the entropy of the predictions."""
    return {'monitor/entropy': losses.entropy(self.answer(batch, context)).mean()}

  @nn.nowrap
  def _mixed(
    self,
    call: Callable[..., Any],
    args: tuple[Any, ...],
    options: dict[str, Any],
    context: nn.module.InterceptorContext,
  ) -> Any:
    """Gives a batch normalisation the mixed statistics of what it is about to normalise."""
    layer = context.module
    if isinstance(layer, Normalization) and not self.is_initializing():
      for name, found in statistics(args[0]).items():
        source = self.variables['source']
        for part in layer.path:
          source = source[part]
        count = args[0].shape[0] * axis.size()
        share = self.prior / (self.prior + count)
        layer.put_variable('batch_stats', name, share * source[name] + (1 - share) * found)
    return call(*args, **options)


def statistics(inputs: jax.Array) -> dict[str, jax.Array]:
  """Returns 'mean' and 'var' `[channels]`, float32, of `[batch, ..., channels]` on all devices."""
  wide = inputs.astype(jnp.promote_types(inputs.dtype, jnp.float32))
  of_all = lambda values: axis.mean(values.mean(tuple(range(values.ndim - 1))))
  mean = of_all(wide)
  return {'mean': mean, 'var': of_all(jnp.square(wide - mean))}
