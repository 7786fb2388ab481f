"""Continual test-time adaptation (Wang et al., 2022)."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from tlda import axis
from tlda.methods import needs
from tlda.methods.averaged import Averaged
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.method import States, Terms, Variables
from tlda.methods.test_time.normalized import Normalized


class CoTTA(Averaged, Normalized):
  """Learns from an averaged teacher that looks again where in doubt, and falls back by chance.

  Wang, Fink, Van Gool, Dai: *Continual Test-Time Domain Adaptation*, CVPR 2022, eq. 1 to 8. All
  weights of the student f move, one step a batch, with the statistics of the batch everywhere:

    min  mean_x CE(y(x), f(x)),    y(x) = f'(x), or the mean of f' over views of x

  of logits: over views where the source's network is on the mean less sure of the batch than
  `threshold`. After the step the teacher f' follows, `f' <- decay f' + (1 - decay) f`, and each
  single weight of f goes back to the source's with probability `restore`. The answer is y, before
  the step.

  Departs from the authors' code: 4 draws of the slight view, which is affine (there, 32 of colours,
  affine maps, blur and noise).

  Attributes:
    decay: The share of itself that the teacher keeps at each step (the paper's 0.999).
    threshold: How sure the source's network must be of a batch (0.92 on CIFAR-10, 0.72 on
      CIFAR-100 in the authors' code).
    restore: The probability with which a weight goes back (0.01 in the authors' code).
  """

  views: ClassVar[tuple[str, ...]] = tuple(f'slight/{number}' for number in range(4))

  decay: float = 0.999
  threshold: float = 0.92
  restore: float = 0.01

  def check(self, batch_size: int) -> None:
    """Refuses what cannot be normalised by the batch, and probabilities that are none."""
    Normalized.check(self, batch_size)
    needs.shares(self, 'decay', 'threshold', 'restore')

  def initial_states(self, variables: Variables) -> States:
    """Returns the teacher and the source's weights: both are the network's."""
    params = variables['params']
    return {'teacher': {'params': params}, 'source': {'params': params}}

  def answer(self, batch: Batch, context: Context) -> jax.Array:
    """Returns the logits of the teacher, or their mean over views."""
    del context
    target, views = batch.target, jnp.stack([batch.target.views[name] for name in self.views])
    sure = jax.nn.softmax(self._by('source', target)).max(axis=1).mean()
    again = jax.vmap(lambda inputs: self._by('teacher', target.replace(inputs=inputs)))(views)
    return jnp.where(
      axis.mean(sure) >= self.threshold, self._by('teacher', target), again.mean(axis=0)
    )

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the cross-entropy with what the teacher says."""
    taught = jax.lax.stop_gradient(self.answer(batch, context))
    student = jax.nn.log_softmax(self.by_batch(batch.target).logits)
    return {'teacher': -(jax.nn.softmax(taught) * student).sum(axis=1).mean()}

  def after_update(self, variables: Any, context: Context) -> States:
    """Moves the teacher, then lets weights go back by chance."""
    params, teacher = variables['params'], variables['teacher']['params']
    average = lambda old, new: self.decay * old + (1 - self.decay) * new
    leaves, form = jax.tree.flatten(params)
    keys = form.unflatten(jax.random.split(context.key('restore'), len(leaves)))

    def restored(key: jax.Array, own: jax.Array, source: jax.Array) -> jax.Array:
      return jnp.where(jax.random.bernoulli(key, self.restore, own.shape), source, own)

    return {
      'teacher': {'params': jax.tree.map(average, teacher, params)},
      'params': jax.tree.map(restored, keys, params, variables['source']['params']),
    }

  def _by(self, collection: str, examples: Examples) -> jax.Array:
    """Returns the logits with the weights of a collection."""
    variables = {**self.variables, 'params': self.variables[collection]['params']}
    return self.pure('by_batch', variables)(examples).logits
