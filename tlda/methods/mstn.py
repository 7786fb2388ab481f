"""MSTN: moving class centroids of both domains drawn together (Xie et al., 2018)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.dann import DANN
from tlda.methods.method import States, Terms, Variables
from tlda.ranges import LogUniform


class MSTN(DANN):
  """Aligns domains as DANN does, and the centroid of each class in one with that in the other.

  Xie, Zheng, Chen, Chen: *Learning Semantic Representations for Unsupervised Domain Adaptation*,
  ICML 2018 (the moving semantic transfer network). With C_k the centroid of class k, of the
  source's labelled and the target's pseudo-labelled features,

    DANN's objective + alignment ramp(p) sum_k |C_k(source) - C_k(target)|^2,
    C_k <- memory C_k + (1 - memory) (mean of class k in the batch),

  with ramp(p) = 2 / (1 + exp(-10 p)) - 1. The gradient goes through the batch's share of the
  centroids.

  Departs from the authors' code: the sum over classes is the paper's, where the code takes the mean
  over classes and features; the centroid of a class that is not in the batch stays, where in the
  code it shrinks; and DANN's part is the mean of both domains' losses, as `dann` has it (the paper:
  their sum; the code: a tenth of it).

  Attributes:
    domain_classifier: Tells source features from target features.
    weight: The value of lambda at the end of training (the paper's 1).
    alignment: The weight of the centroids' distance at the end of training (the paper's 1, which
      outweighs all else where features are hundreds and the network is not pretrained).
    memory: The share of itself that a centroid keeps at each step (the paper's 0.7).
  """

  alignment: Annotated[float, LogUniform(0.01, 1.0)] = 0.1
  memory: float = 0.7

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, and a memory that is no share."""
    super().check(batch_size)
    needs.classes(self)
    needs.shares(self, 'memory')

  def initial_states(self, variables: Variables) -> States:
    """Returns centroids at 0."""
    del variables
    zeros = jnp.zeros((self.spec.classes, self.feature_size()))
    return {'centroids': {'source': zeros, 'target': zeros}}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the terms of DANN, and the distance of the centroids."""
    source, target = self.outputs(batch)
    of_source = self.moved('source', source.features, batch.source.flat().labels)
    of_target = self.moved('target', target.features, jnp.argmax(target.logits, axis=1))
    distance = losses.centroid_alignment(of_source, of_target)
    return {
      'task': self.task_loss(source, batch.source),
      'domain': self.domain_loss(source, target, context),
      'centroids': self.alignment * context.ramp() * distance,
    }

  def moved(self, domain: str, features: jax.Array, labels: jax.Array) -> jax.Array:
    """Moves the centroids of a domain to those of this batch, and returns them."""
    features, labels = axis.gather(features), axis.gather(labels)
    members = jax.nn.one_hot(labels, self.spec.classes, axis=0)
    count = members.sum(axis=1, keepdims=True)
    old = self.get_variable('centroids', domain)
    mean = jnp.matmul(members, features, precision='highest') / jnp.maximum(count, 1)
    new = jnp.where(count > 0, self.memory * old + (1 - self.memory) * mean, old)
    self.put_variable('centroids', domain, jax.lax.stop_gradient(new))
    return new
