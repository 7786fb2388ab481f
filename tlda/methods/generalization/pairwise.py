"""The base of methods that draw the features of all sources together, two by two."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda import axis
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.generalization.generalization import Generalization
from tlda.methods.method import Terms
from tlda.ranges import LogUniform


class Pairwise(Generalization):
  """Adds the mean `distance` of all pairs of sources to the mean of their risks.

  Attributes:
    weight: Of the distance.
  """

  weight: Annotated[float, LogUniform(0.1, 10.0)] = 1.0

  def check(self, batch_size: int) -> None:
    """Refuses a single source, a batch that says nothing of a distribution, a negative weight."""
    super().check(batch_size)
    needs.examples(self, batch_size)
    needs.at_least(self, 0, 'weight')

  def distance(self, one: jax.Array, other: jax.Array) -> jax.Array:
    """Returns how far the features of two sources, `[batch, d]` each, are apart, a scalar."""
    raise TypeError(f'{type(self).__name__} has no distance')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the mean risk and the mean distance of pairs."""
    outputs = self.by_source(batch)
    features = axis.gather(outputs.features, axis=1)
    one, other = jnp.triu_indices(len(features), 1)
    distances = jax.vmap(self.distance)(features[one], features[other])
    risks = self.risks(outputs, batch.source)
    return {'task': risks.mean(), 'distance': self.weight * distances.mean()}
