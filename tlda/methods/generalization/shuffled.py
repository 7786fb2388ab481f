"""The base of methods that take the gradients of some sources after those of others."""

import jax
import jax.numpy as jnp

from tlda.methods.batch import Batch, Context
from tlda.methods.generalization.generalization import Generalization
from tlda.methods.method import Objective, Params, States, Terms, Variables


class Shuffled(Generalization):
  """A method whose gradients know an order of the sources, drawn anew at each step.

  The collection 'order' holds it: the objective, which has the context, draws it, and `gradients`
  reads it from what the objective wrote. A batch of some of the sources is a batch as well: batch
  normalisation is of those alone.
  """

  def initial_states(self, variables: Variables) -> States:
    """Returns the order of the sources before any is drawn."""
    del variables
    return {'order': {'sources': jnp.arange(len(self.spec.sources))}}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the mean risk of those sources that the batch has; draws the order of all."""
    order = jax.random.permutation(context.key('order'), len(self.spec.sources))
    self.put_variable('order', 'sources', order)
    (outputs,) = self.outputs(batch)
    return {'task': self.task_loss(outputs, batch.source)}


def order_of(objective: Objective, params: Params, batch: Batch) -> jax.Array:
  """Returns the order of the sources in this step, int32 `[sources]`; nothing else is computed."""
  _, (_, states) = objective(params, batch)
  return states['order']['sources']


def pick(batch: Batch, sources: jax.Array) -> Batch:
  """Returns the batch of some sources, int32 `[picked]` of the batch's own order."""
  return Batch(source=jax.tree.map(lambda x: jnp.take(x, sources, axis=0), batch.source))


def moved(params: Params, grads: Params, rate: float) -> Params:
  """Returns the weights after a plain gradient step."""
  return jax.tree.map(lambda weight, grad: weight - rate * grad, params, grads)
