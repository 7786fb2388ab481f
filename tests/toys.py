"""Toy methods, each of which leans on one part of the base class and is worked out by hand."""

from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.methods import Batch, Context, DomainPass, Method, Phase, Terms
from tlda.methods.method import States, Variables
from tlda.models import Linear


class TwoHeads(Method):
  """Moves as MCD does: all on the source; the heads apart; the extractor, twice, together."""

  other_head: nn.Module = Linear(3)

  def phases(self) -> tuple[Phase, ...]:
    return (
      Phase('task'),
      Phase('apart', 'apart', trains=('head', 'other_head'), keeps_statistics=False),
      Phase('together', 'together', trains=('extractor',), repeats=2),
    )

  def objective(self, batch: Batch, context: Context) -> Terms:
    source, _ = self.outputs(batch)
    other = self.other_head(source.features, train=True)
    labels = batch.source.flat().labels
    return {
      'head': self.task_loss(source, batch.source),
      'other': self.task.loss(other, labels).mean(),
    }

  def _discrepancy(self, batch: Batch) -> jax.Array:
    _, target = self.outputs(batch)
    other = self.other_head(target.features, train=True)
    return jnp.abs(jax.nn.softmax(target.logits) - jax.nn.softmax(other)).mean()

  def apart(self, batch: Batch, context: Context) -> Terms:
    return {**self.objective(batch, context), 'discrepancy': -self._discrepancy(batch)}

  def together(self, batch: Batch, context: Context) -> Terms:
    return {'discrepancy': self._discrepancy(batch)}


class Teacher(Method):
  """Agrees with a moving average of itself on another view of the target."""

  views: ClassVar[tuple[str, ...]] = ('weak', 'strong')
  decay: float = 0.9

  def initial_states(self, variables: Variables) -> States:
    return {'teacher': {'params': variables['params']}}

  def objective(self, batch: Batch, context: Context) -> Terms:
    source, target = self.outputs(batch)
    variables = {name: self.variables[name] for name in ('batch_stats',)}
    variables['params'] = self.get_variable('teacher', 'params')
    taught = self.detached().apply(variables, batch.target.views['weak'], batch.target.domain)
    del target
    seen = self.forward(batch.target.views['strong'], batch.target.domain, train=True)
    gap = jax.nn.softmax(seen.logits) - jax.nn.softmax(jax.lax.stop_gradient(taught.logits))
    return {'task': self.task_loss(source, batch.source), 'consistency': (gap**2).sum(-1).mean()}

  def after_update(self, variables: Any, context: Context) -> States:
    average = lambda old, new: self.decay * old + (1 - self.decay) * new
    old = variables['teacher']['params']
    return {'teacher': {'params': jax.tree.map(average, old, variables['params'])}}

  def __call__(self, inputs: jax.Array, domain: jax.Array | int) -> Any:
    if not self.has_variable('teacher', 'params'):
      return super().__call__(inputs, domain)
    variables = {**self.variables, 'params': self.get_variable('teacher', 'params')}
    return self.detached().apply(variables, inputs, domain, True, method='student')

  def student(self, inputs: jax.Array, domain: jax.Array | int, _: bool) -> Any:
    return self.forward(inputs, domain, train=False)


class Bank(Method):
  """Keeps the last prediction for every target example, by its index, and draws to their mean."""

  def initial_states(self, variables: Variables) -> States:
    return {'bank': {'rows': jnp.full((self.spec.target.examples, self.spec.classes), 1 / 3)}}

  def objective(self, batch: Batch, context: Context) -> Terms:
    source, target = self.outputs(batch)
    rows = self.get_variable('bank', 'rows')
    index = axis.gather(batch.target.index)
    probabilities = axis.gather(jax.nn.softmax(target.logits))
    marginal = rows.mean(axis=0)
    self.put_variable('bank', 'rows', rows.at[index].set(jax.lax.stop_gradient(probabilities)))
    drawn = -(marginal * jnp.log(probabilities.mean(axis=0))).sum()
    return {'task': self.task_loss(source, batch.source), 'marginal': drawn}


class Centroids(Method):
  """Pulls target features to centroids that two passes over the whole target make."""

  first_stage: ClassVar[str | None] = 'source_only'

  def initial_states(self, variables: Variables) -> States:
    return {'centroids': {'rows': jnp.zeros((self.spec.classes, 12))}}

  def domain_passes(self) -> tuple[DomainPass, ...]:
    return (DomainPass('centers', times=2),)

  def centers(self, variables: Any, outputs: Any) -> States:
    weights = jax.nn.softmax(outputs.logits)
    return {'centroids': {'rows': weights.T @ outputs.features / weights.sum(0)[:, None]}}

  def objective(self, batch: Batch, context: Context) -> Terms:
    source, target = self.outputs(batch)
    rows = self.get_variable('centroids', 'rows')
    gaps = ((target.features[:, None] - rows[None]) ** 2).sum(-1)
    pull = (jax.nn.softmax(target.logits) * gaps).sum(-1).mean()
    return {'task': self.task_loss(source, batch.source), 'pull': 0.1 * pull}


class FewLabels(Method):
  """Learns from the source and from a few labelled examples of the target."""

  reads: ClassVar[frozenset[str]] = frozenset({'source', 'target', 'labelled_target'})

  def objective(self, batch: Batch, context: Context) -> Terms:
    source, target, labelled = self.outputs(batch)
    return {
      'task': self.task_loss(source, batch.source),
      'few': self.task_loss(labelled, batch.labelled_target),
      'entropy': 0.1 * losses.entropy(target.logits).mean(),
    }
