"""Moment matching for several sources (Peng et al., 2019)."""

from functools import partial
from typing import Annotated

import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Terms
from tlda.ranges import LogUniform


class M3SDA(Method):
  """Draws the moments of features together: of each source and the target, and of the sources.

  Peng, Bai, Xia, Huang, Saenko, Wang: *Moment Matching for Multi-Source Domain Adaptation*, ICCV
  2019, eq. 1. With k sources, the target T, and moments m_j of order j of each feature,

    L_task + weight sum_j (1/k sum_e |m_j,e - m_j,T| + mean_{e < f} |m_j,e - m_j,f|)

  A single source works too: then there is no second mean.

  Departs from the paper: moments from the second on are about the mean, as in the authors' code,
  and one classifier knows all sources, as there, where the paper has one for each and weighs their
  predictions. `m3sda_beta` is the version with pairs of classifiers.

  Attributes:
    weight: Of the distance between moments (chosen for each problem; 0.0005 in the authors' code,
      which adds pairs and goes to the fifth moment). Features vanish where it is too large.
    moments: The highest order (the paper's 2).
  """

  weight: Annotated[float, LogUniform(1e-4, 0.1)] = 0.01
  moments: int = 2

  def check(self, batch_size: int) -> None:
    """Refuses a batch without moments, moments without an order, and a negative weight."""
    needs.examples(self, batch_size)
    needs.at_least(self, 1, 'moments')
    needs.at_least(self, 0, 'weight')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the sources and the distance between moments."""
    source, target = self.outputs(batch)
    distance = moment_distance(source.features, target.features, self.moments)
    return {'task': self.task_loss(source, batch.source), 'moments': self.weight * distance}


def moment_distance(source: jax.Array, target: jax.Array, moments: int) -> jax.Array:
  """Returns how far the moments of all domains are apart, on all devices together.

  Args:
    source: `[sources * batch, features]` on this device.
    target: `[batch, features]` on this device.
    moments: The highest order.

  Returns:
    A scalar: the mean over sources of the distance to the target, and that over pairs of sources.
  """
  own = axis.gather(source.reshape(-1, *target.shape), axis=1)
  distance = partial(losses.central_moment_discrepancy, moments=moments)
  total = jax.vmap(distance, in_axes=(0, None))(own, axis.gather(target)).mean()
  if len(own) > 1:
    one, other = jnp.triu_indices(len(own), 1)
    total += jax.vmap(distance)(own[one], own[other]).mean()
  return total
