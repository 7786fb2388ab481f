"""Open-set domain adaptation by backpropagation (Saito et al., 2018)."""

from typing import ClassVar

import jax
import jax.numpy as jnp

from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Outputs, Terms
from tlda.models import gradient_reversal


class OSBP(Method):
  """Lets the extractor choose, for each target example, whether it is known or unknown.

  Saito, Yamamoto, Ushiku, Harada: *Open Set Domain Adaptation by Backpropagation*, ECCV 2018. The
  head has a class 'unknown', whose probability p of target examples it holds at a boundary t, while
  the extractor drives it away from there, to either side:

    L_adv = mean_target [-t log p - (1 - t) log(1 - p)]
    min_head L_task + L_adv,   min_extractor L_task - L_adv

  in one backward pass, through a gradient reversal.

  Attributes:
    boundary: The probability t at which the head holds 'unknown' (the paper's 0.5).
    weight: Of the reversed gradient (the paper's 1).
  """

  open_set: ClassVar[bool] = True

  boundary: float = 0.5
  weight: float = 1.0

  def check(self, batch_size: int) -> None:
    """Refuses a boundary that is no probability, and a negative weight."""
    del batch_size
    needs.shares(self, 'boundary')
    needs.at_least(self, 0, 'weight')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and the boundary's loss of the target."""
    del context
    source, target = self.outputs(batch)
    return {'task': self.task_loss(source, batch.source), 'boundary': self.boundary_loss(target)}

  def boundary_loss(self, target: Outputs) -> jax.Array:
    """Returns the loss, a scalar; its gradient to the features is reversed."""
    reversed_ = gradient_reversal(target.features, self.weight)
    logits = self.head(reversed_, domain=self.spec.target_domain, train=True)
    # The log-odds of 'unknown' against all known classes together.
    odds = logits[:, -1] - jax.nn.logsumexp(logits[:, :-1], axis=1)
    cost = self.boundary * jax.nn.softplus(-odds) + (1 - self.boundary) * jax.nn.softplus(odds)
    return jnp.mean(cost)
