"""Learning without forgetting (Li and Hoiem, 2016)."""

from typing import Annotated

from tlda import losses
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Terms
from tlda.methods.old_head import WithOldHead
from tlda.ranges import LogUniform


class LwF(WithOldHead):
  """Learns a new task while the old head goes on saying of its inputs what it said before.

  Li, Hoiem: *Learning without Forgetting*, ECCV 2016. With the old head's probabilities p of the
  trained network and p* of the frozen start network, both at temperature T,

    L_task + weight KL(p* || p)

  over the target's examples alone: no example of the old task is needed. The old head comes from
  the published weights, or is that of the run to start from, and moves with the rest; the new head
  is drawn. The paper trains the new head alone first, as `--transfer=lp_ft` does.

  Attributes:
    weight: Of the old task (the paper's lambda_o, 1).
    temperature: What the old logits are divided by (the paper's 2).
  """

  weight: Annotated[float, LogUniform(0.1, 10.0)] = 1.0
  temperature: float = 2.0

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the loss of the new task, and that of the old one."""
    (target,) = self.outputs(batch)
    own = self.old_logits(target.features, batch.target)
    reference = self.reference_logits(batch.target)
    # The paper has no factor T^2.
    old = losses.distillation(own, reference, temperature=self.temperature).mean()
    return {
      'task': self.task_loss(target, batch.target),
      'old_task': self.weight * old / self.temperature**2,
    }
