"""Invariant variances of gradients (Rame et al., 2022)."""

from typing import Annotated, Any

import jax
import jax.numpy as jnp

from tlda import axis
from tlda.methods import needs
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.generalization.generalization import Generalization
from tlda.methods.method import Outputs, States, Terms, Variables
from tlda.ranges import LogUniform


class Fishr(Generalization):
  """Makes the gradients of the examples of each source vary alike: the sources' curvatures agree.

  Rame, Dancette, Cord: *Fishr: Invariant Gradient Variances for Out-of-Distribution
  Generalization*, ICML 2022. With v_e the variance, weight by weight of the head, of the
  gradients of the single examples of source e, over the present batch,

    s_e <- memory s_e + v_e
    mean_e R_e + weight mean_e |s_e - mean_d s_d|^2 / (number of the head's weights)

  where only the present v_e gets a gradient. The collection 'variances' holds s, which is the
  paper's moving average divided by 1 - memory, as in the authors' code: the gradient that v_e gets
  is not the smaller, the longer the memory. The gradients of all examples of all sources come from
  one `vmap`; they are those of the head without dropout.

  Attributes:
    weight: Of the penalty (the paper's lambda; 1,000 in the authors' code).
    memory: The share of s that a step keeps (the authors' 0.95).
    begin: The share of training before which the penalty does not count (1,500 of 5,000 steps in
      the authors' code).
  """

  weight: Annotated[float, LogUniform(10.0, 1e4)] = 1000.0
  memory: float = 0.95
  begin: float = 0.3

  def check(self, batch_size: int) -> None:
    """Refuses a single source or example, a negative weight, and what is no share."""
    super().check(batch_size)
    needs.examples(self, batch_size)
    needs.at_least(self, 0, 'weight')
    needs.shares(self, 'memory', 'begin')

  def initial_states(self, variables: Variables) -> States:
    """Returns sums of no variance yet, `[sources, ...]` for each of the head's weights."""
    count = len(self.spec.sources)
    none = lambda weight: jnp.zeros((count, *weight.shape), weight.dtype)
    return {'variances': {'head': jax.tree.map(none, variables['params']['head'])}}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the mean of the risks, and how far the variances of gradients differ."""
    outputs = self.by_source(batch)
    now = variances(self.example_gradients(outputs, batch.source))
    before = self.get_variable('variances', 'head')
    sums = jax.tree.map(lambda old, new: self.memory * old + new, before, now)
    self.put_variable('variances', 'head', jax.lax.stop_gradient(sums))
    rows = jnp.concatenate([x.reshape(len(x), -1) for x in jax.tree.leaves(sums)], axis=1)
    counts = context.progress >= self.begin
    penalty = jnp.square(rows - rows.mean(axis=0)).mean()
    return {
      'task': self.risks(outputs, batch.source).mean(),
      'variances': jnp.where(counts, self.weight, 0.0) * penalty,
    }

  def example_gradients(self, outputs: Outputs, examples: Examples) -> Any:
    """Returns each example's gradient, `[sources, examples, ...]` for each weight of the head."""
    network, variables = self.detached(), self.variables

    def loss(head: Any, features: jax.Array, domain: jax.Array, label: jax.Array) -> jax.Array:
      own = {**variables, 'params': {**variables['params'], 'head': head}}
      logits = network.apply(own, features[None], domain[None], method=_logits)
      return self.task.loss(logits, label[None])[0]

    of_source = jax.vmap(jax.grad(loss), in_axes=(None, 0, 0, 0))
    of_all = jax.vmap(of_source, in_axes=(None, 0, 0, 0))
    head = variables['params']['head']
    return of_all(head, outputs.features, examples.domain, examples.labels)


def variances(grads: Any) -> Any:
  """Returns the variance over the examples of all devices: `[sources, ...]` for each weight.

  Args:
    grads: `[sources, examples on this device, ...]` for each weight.
  """
  average = lambda x: axis.mean(x.mean(axis=1))
  return jax.tree.map(lambda x: average(jnp.square(x - average(x)[:, None])), grads)


def _logits(method: Fishr, features: jax.Array, domain: jax.Array) -> jax.Array:
  """Predicts by the head alone, as after training."""
  return method.head(features, domain=domain, train=False)
