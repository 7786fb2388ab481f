"""FixMatch: what a weak view is sure of, a strong view learns (Sohn et al., 2020)."""

from typing import Annotated, ClassVar

import jax
import jax.numpy as jnp

from tlda import losses
from tlda.methods import needs
from tlda.methods.averaged import Averaged
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Terms
from tlda.ranges import LogUniform, Uniform


class FixMatch(Averaged):
  """Learns, of a strong view of the target, the class that its weak view is sure of.

  Sohn, Berthelot, Li, Zhang, Carlini, Cubuk, Kurakin, Zhang, Raffel: *FixMatch: Simplifying
  Semi-Supervised Learning with Consistency and Confidence*, NeurIPS 2020. With class probabilities
  f, the source as labelled and the target as unlabelled examples,

    L_task(weak source) + weight mean_x [max f(weak x) >= threshold]
                                   cross_entropy(f(strong x), argmax f(weak x)).

  All views are normalised together, and a moving average of the weights predicts. A step has as
  many target as source examples (the paper's has seven times as many).

  Attributes:
    decay: The share of itself that the average of the weights keeps (the paper's 0.999).
    weight: The weight of the target's loss (the paper's 1).
    threshold: How sure the weak view must be (the paper's 0.95).
  """

  views: ClassVar[tuple[str, ...]] = ('weak', 'strong')

  weight: Annotated[float, LogUniform(0.1, 10.0)] = 1.0
  threshold: Annotated[float, Uniform(0.7, 0.99)] = 0.95

  def check(self, batch_size: int) -> None:
    """Refuses what no average can be made of, and a threshold that is no probability."""
    super().check(batch_size)
    needs.shares(self, 'threshold')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source, and what the target's strong views have to learn."""
    source, target = batch.source.flat(), batch.target
    views = [source.views['weak'], target.views['weak'], target.views['strong']]
    domains = [source.domain, target.domain, target.domain]
    logits = self.forward(jnp.concatenate(views), jnp.concatenate(domains), train=True).logits
    labelled, count = len(source.index), len(target.index)
    seen, weak, strong = jnp.split(logits, [labelled, labelled + count])
    learned = losses.confident_cross_entropy(weak, strong, threshold=self.threshold)
    return {
      'task': self.task.loss(seen, source.labels).mean(),
      'consistency': self.weight * learned.mean(),
      'monitor/confident': (jax.nn.softmax(weak).max(axis=1) >= self.threshold).mean(),
    }
