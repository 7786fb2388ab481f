"""Adaptive batch normalisation (Li et al., 2016)."""

from collections.abc import Callable
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from tlda import losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Phase, Terms
from tlda.models import Normalization


class AdaBN(Method):
  """Gives a network that was trained on the source the target's batch statistics.

  Li, Wang, Shi, Liu, Hou: *Revisiting Batch Normalization for Practical Domain Adaptation*, 2016
  (https://arxiv.org/abs/1603.04779). No parameter moves. In every batch normalisation

    mean, variance  :=  average over the target's batches of the batch's mean and variance

  exactly, each batch so far counting alike: after t of them, `new = old + (batch - old) / t`. A
  pass or two over the target are steps enough. The variance is that within batches, which lacks
  1 / batch of the whole.

  Departs from the paper: the network has one set of statistics, so that afterwards the source too
  is predicted for with the target's, and its accuracy falls.
  """

  reads: ClassVar[frozenset[str]] = frozenset({'target'})
  first_stage: ClassVar[str | None] = 'source_only'
  normalization: ClassVar[str | None] = 'joint'

  def check(self, batch_size: int) -> None:
    """Refuses a network that has no statistics."""
    del batch_size
    needs.batch_normalization(self)

  def phases(self) -> tuple[Phase, ...]:
    """Returns a phase that trains nothing."""
    return (Phase('statistics', trains=()),)

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Averages the statistics; minimises nothing, and watches the entropy of the predictions."""
    before = jax.tree.map(jnp.asarray, self.variables['batch_stats'])  # a copy: they are written to
    with nn.intercept_methods(_of_the_batch):
      (target,) = self.outputs(batch)
    move = lambda old, new: old + (new - old) / (context.step + 1)
    for part, after in self.variables['batch_stats'].items():
      self.put_variable('batch_stats', part, jax.tree.map(move, before[part], after))
    return {'monitor/entropy': losses.entropy(target.logits).mean()}


def _of_the_batch(
  call: Callable[..., Any],
  args: tuple[Any, ...],
  options: dict[str, Any],
  context: nn.module.InterceptorContext,
) -> Any:
  """Makes a batch normalisation keep the statistics of the batch alone, whatever its momentum."""
  layer = context.module
  if not isinstance(layer, Normalization) or not layer.momentum:
    return call(*args, **options)
  return layer.clone(momentum=0.0, parent=layer.scope)(*args, **options)
