"""Pseudo-labels: the network's own predictions, learned as if they were true (Lee, 2013)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda import losses
from tlda.errors import UserError
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Terms
from tlda.ranges import LogUniform


class PseudoLabel(Method):
  """Learns the target's most probable classes as if they were its labels.

  Lee: *Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method for Deep Neural
  Networks*, ICML Workshop on Challenges in Representation Learning (2013). With the network's
  present prediction y'(x) of the target, the source being the labelled and the target the
  unlabelled examples,

    L_task(source) + alpha(p) mean_x cross_entropy(f(x), y'(x)),
    alpha(p) = weight (p - begin) / (end - begin), between 0 and weight (eq. 16).

  The paper gives `begin` and `end` in epochs (100 and 600); here they are shares p of the planned
  training. Its networks have dropout, ours what the backbone has. Its unlabelled examples are of
  the labelled ones' domain: where the target is far from the source, the network is confirmed in
  its errors, and may end below training on the source alone.

  Attributes:
    weight: The value of alpha after the ramp (the paper's 3).
    begin: The share of the training before which the target does not count.
    end: The share of the training at which alpha has reached `weight`.
    threshold: The smallest probability that makes a prediction a label (the paper's 0: all are).
  """

  weight: Annotated[float, LogUniform(0.3, 30.0)] = 3.0
  begin: float = 0.1
  end: float = 0.6
  threshold: float = 0.0

  def check(self, batch_size: int) -> None:
    """Refuses one class, a ramp that does not go up, and a threshold that is no probability."""
    needs.classes(self)
    needs.shares(self, 'threshold')
    if not 0.0 <= self.begin < self.end:
      raise UserError(f'the ramp must end after it begins, not from {self.begin} to {self.end}')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and the weighted loss of the target's own labels."""
    source, target = self.outputs(batch)
    own = losses.confident_cross_entropy(target.logits, target.logits, threshold=self.threshold)
    return {
      'task': self.task_loss(source, batch.source),
      'pseudo_label': self.alpha(context) * own.mean(),
    }

  def alpha(self, context: Context) -> jax.Array:
    """Returns the weight of the target's loss at this step, a scalar."""
    share = (context.progress - self.begin) / (self.end - self.begin)
    return self.weight * jnp.clip(share, 0.0, 1.0)
