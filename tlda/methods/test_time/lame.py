"""Laplacian adjusted maximum likelihood of a batch's predictions (Boudiaf et al., 2022)."""

import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Phase, Terms
from tlda.methods.test_time.online import Online


class LAME(Online):
  """Corrects the predictions for a batch so that neighbours agree; the network stays as it is.

  Boudiaf, Mueller, Ben Ayed, Bertinetto: *Parameter-free Online Test-time Adaptation*, CVPR 2022,
  eq. 3 and 5. With predictions p_i of the trained network, the corrected z_i come nearer to

    argmin  sum_i KL(z_i || p_i) - 1/2 sum_ij w_ij z_i . z_j

  where w_ij is 1 if j is one of the nearest neighbours of i by the cosine of features, else 0. Each
  iteration sets `z_i ~ p_i exp(sum_j w_ij z_j)`, from z = p on, as eq. 5 (of eq. 3, without the
  half, it would be twice the sum). No parameter, no statistic and no
  state moves: the answer for a batch depends on nothing but the batch.

  Departs from the authors' code: a fixed number of iterations (there, until the objective stands
  still, after 100 at most).

  Attributes:
    neighbours: Of each example, all others in a small batch (5 in the authors' code).
    iterations: Of the correction.
  """

  neighbours: int = 5
  iterations: int = 100

  def check(self, batch_size: int) -> None:
    """Refuses a single class, a batch of one, and no iteration."""
    needs.classes(self)
    needs.at_least(self, 1, 'neighbours', 'iterations')
    needs.examples(self, batch_size)

  def phases(self) -> tuple[Phase, ...]:
    """Returns a phase that trains nothing."""
    return (Phase('corrected', trains=()),)

  def answer(self, batch: Batch, context: Context) -> jax.Array:
    """Returns the logarithms of the corrected predictions for this device's examples."""
    del context
    target = batch.target
    outputs = self.forward(target.inputs, target.domain, train=False)
    features, logits = axis.gather(outputs.features), axis.gather(outputs.logits)
    corrected = correct(logits, affinity(features, self.neighbours), self.iterations)
    return axis.own(corrected)

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Minimises nothing; watches how sure the corrected predictions are."""
    return {'monitor/entropy': losses.entropy(self.answer(batch, context)).mean()}


def affinity(features: jax.Array, neighbours: int) -> jax.Array:
  """Returns which examples are the nearest to each: `[n, n]`, 1 or 0, row by row.

  Args:
    features: `[n, d]`, compared by their cosine.
    neighbours: How many of each, or all if there are fewer; itself is none of them.
  """
  unit = features / jnp.maximum(jnp.linalg.norm(features, axis=1, keepdims=True), 1e-12)
  near = jnp.where(jnp.eye(len(unit), dtype=bool), -jnp.inf, unit @ unit.T)
  _, places = jax.lax.top_k(near, min(neighbours, len(unit) - 1))
  return jax.nn.one_hot(places, len(unit)).sum(axis=1)


def correct(logits: jax.Array, affinity: jax.Array, iterations: int) -> jax.Array:
  """Returns `[n, classes]` logarithms of predictions that agree with those of neighbours.

  Args:
    logits: `[n, classes]`, of the network.
    affinity: `[n, n]`, how much each (row) listens to each other.
    iterations: How often all listen.
  """
  given = jax.nn.log_softmax(logits)
  agree = lambda _, z: jax.nn.log_softmax(given + affinity @ jnp.exp(z))
  return jax.lax.fori_loop(0, iterations, agree, given)
