"""The base of methods at test time that normalise each batch by its own statistics."""

from typing import ClassVar

import jax
import jax.numpy as jnp
from flax import traverse_util

from tlda.methods import needs
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.initialization import prediction_variables
from tlda.methods.method import Objective, Outputs, Params, States, Terms
from tlda.methods.test_time.online import Online


class Normalized(Online):
  """Moves scale and bias of batch normalisation, and no other weight.

  Each batch of the stream is normalised by its own statistics. The running ones, by which
  `__call__` predicts, follow them.
  """

  normalization: ClassVar[str | None] = 'joint'

  def check(self, batch_size: int) -> None:
    """Refuses a single class, a batch of one, and a network without batch normalisation."""
    needs.classes(self)
    needs.examples(self, batch_size)
    needs.batch_normalization(self)

  def by_batch(self, examples: Examples) -> Outputs:
    """Predicts with the statistics of the batch, and without dropout in the head."""
    features = self.extractor(examples.inputs, domain=examples.domain, train=True)
    return Outputs(features, self.head(features, domain=examples.domain, train=False))

  def answer(self, batch: Batch, context: Context) -> jax.Array:
    """Returns the logits by which this step is made: those before it."""
    del context
    return self.by_batch(batch.target).logits

  def gradients(
    self, objective: Objective, params: Params, batch: Batch
  ) -> tuple[Params, tuple[Terms, States]]:
    """Returns the gradients of scale and bias, and zeros for all else."""
    gradients, results = super().gradients(objective, params, batch)
    return of_normalization(gradients, normalizations(self)), results


def normalizations(method: Online) -> frozenset[tuple[str, ...]]:
  """Returns the paths of all batch normalisations of a network, computing none of it."""
  found = jax.eval_shape(lambda: prediction_variables(method.clone(parent=None)))
  return frozenset(path[:-1] for path in traverse_util.flatten_dict(found['batch_stats']))


def of_normalization(params: Params, layers: frozenset[tuple[str, ...]]) -> Params:
  """Returns parameters, or their gradients, with zeros in place of all but the layers' own."""

  def kept(keys: tuple[jax.tree_util.DictKey, ...], leaf: jax.Array) -> jax.Array:
    return leaf if tuple(key.key for key in keys[:-1]) in layers else jnp.zeros_like(leaf)

  return jax.tree.map_with_path(kept, params)
