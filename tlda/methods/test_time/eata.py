"""Adaptation to reliable and new samples, anchored where weights matter (Niu et al., 2022)."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from flax import traverse_util

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.method import States, Terms, Variables
from tlda.methods.test_time.tent import TENT, of_normalization

Tree = dict[str, Any]


class EATA(TENT):
  """Learns from the sure and the unusual of each batch, and holds on to weights that matter.

  Niu, Wu, Zhang, Chen, Zheng, Zhao, Tan: *Efficient Test-Time Model Adaptation without Forgetting*,
  ICML 2022, eq. 2 to 8. As in `tent`, scale and bias of normalisation move, one step a batch:

    mean over chosen x of  exp(E_0 - H(f(x))) H(f(x))  +  weight sum_i F_i (theta_i - theta_i^0)^2

  Chosen are those with H(f(x)) < E_0 = margin log(classes), whose prediction has a cosine below
  `redundancy` with the moving average of the chosen predictions so far. theta^0 are the weights
  that the stream begins with.

  Departs from the paper: the Fisher information F, at theta^0 of the network's own predictions as
  labels, is that of the stream so far, the mean over its batches of the squared gradient (there, of
  2,000 unlabelled examples of the source, before the stream): no source is needed. From the
  authors' code: of a batch of which nothing is chosen there is a step too, of the anchor and of the
  optimizer's momentum.

  Attributes:
    margin: E_0, as a share of the largest entropy (the paper's 0.4).
    redundancy: The cosine from which on a prediction is nothing new (the paper's 0.4 on CIFAR-10,
      0.05 on ImageNet).
    memory: The share that the average of predictions keeps with each batch (0.9 in the authors'
      code).
    weight: Of the anchor (the paper's 1 on CIFAR-10, 2,000 on ImageNet).
  """

  margin: float = 0.4
  redundancy: float = 0.4
  memory: float = 0.9
  weight: float = 1.0

  def check(self, batch_size: int) -> None:
    """Refuses also what is no share, and a negative weight."""
    super().check(batch_size)
    needs.shares(self, 'margin', 'redundancy', 'memory')
    needs.at_least(self, 0, 'weight')

  def initial_states(self, variables: Variables) -> States:
    """Returns the weights to hold on to, no information of any, and no prediction so far."""
    start = of_normalization(variables)
    return {
      'start': start,
      'fisher': {'batches': jnp.float32(0), 'mean': jax.tree.map(jnp.zeros_like, start)},
      'predictions': {'mean': jnp.zeros(self.spec.classes)},
    }

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the weighted entropy of what is chosen, and the anchor."""
    logits = self.answer(batch, context)
    entropy, chosen = losses.entropy(logits), self._chosen(logits)
    bound = self.margin * math.log(self.spec.classes)
    weights = chosen * jnp.exp(bound - jax.lax.stop_gradient(entropy))
    share = axis.mean(chosen.mean())
    fisher, start = self._fisher(batch.target), self.variables['start']
    own = _at(self.variables['params'], start)
    gaps = jax.tree.map(lambda f, old, new: (f * (new - old) ** 2).sum(), fisher, start, own)
    return {
      'entropy': (weights * entropy).mean() / jnp.where(share > 0, share, 1),
      'anchor': self.weight * sum(jax.tree.leaves(gaps)),
      'monitor/chosen': share,
    }

  def _chosen(self, logits: jax.Array) -> jax.Array:
    """Returns 1 for what is learned from, else 0: `[batch]`; the average takes that in."""
    logits = jax.lax.stop_gradient(logits)
    shares, mean = jax.nn.softmax(logits), self.variables['predictions']['mean']
    sure = losses.entropy(logits) < self.margin * math.log(self.spec.classes)
    length = jnp.linalg.norm(shares, axis=1) * jnp.linalg.norm(mean)
    cosine = shares @ mean / jnp.maximum(length, 1e-12)
    chosen = (sure & (cosine < self.redundancy)).astype(shares.dtype)  # All, while there is none.
    count = axis.sum(chosen.sum())
    of_batch = axis.sum(chosen @ shares) / jnp.maximum(count, 1)
    moved = self.memory * mean + (1 - self.memory) * of_batch
    moved = jnp.where(mean.any(), moved, of_batch)
    self.put_variable('predictions', 'mean', jnp.where(count > 0, moved, mean))
    return chosen

  def _fisher(self, examples: Examples) -> Tree:
    """Returns the mean over batches of the squared gradient at the start, this one among them."""
    params = jax.lax.stop_gradient(self.variables['params'])

    def loss(start: Tree) -> jax.Array:
      moved = {**self.variables, 'params': _put(params, start)}
      logits = self.pure('by_batch', moved)(examples).logits
      labels = jax.lax.stop_gradient(logits).argmax(axis=-1)
      return losses.cross_entropy(logits, labels).mean()

    gradient = axis.mean(jax.grad(loss)(self.variables['start']))
    known = self.variables['fisher']
    count = known['batches'] + 1
    mean = jax.tree.map(lambda old, g: old + (g**2 - old) / count, known['mean'], gradient)
    self.put_variable('fisher', 'batches', count)
    self.put_variable('fisher', 'mean', mean)
    return mean


def _at(params: Tree, wanted: Tree) -> Tree:
  """Returns the leaves of a tree of parameters that another, a part of it, has too."""
  flat = traverse_util.flatten_dict(params)
  return traverse_util.unflatten_dict({k: flat[k] for k in traverse_util.flatten_dict(wanted)})


def _put(params: Tree, others: Tree) -> Tree:
  """Returns a tree of parameters with some leaves in the place of its own."""
  both = traverse_util.flatten_dict(params) | traverse_util.flatten_dict(others)
  return traverse_util.unflatten_dict(both)
