"""Representation self-challenging (Huang et al., 2020)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda import axis
from tlda.methods import needs
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.generalization.generalization import Generalization
from tlda.methods.method import Outputs, Terms
from tlda.ranges import Uniform


class RSC(Generalization):
  """Mutes the features that a prediction leans on most, so that the others have to learn it too.

  Huang, Wang, Xing, Huang: *Self-Challenging Improves Cross-Domain Generalization*, ECCV 2020. With
  features h, and f_y the logit of the true class,

    g = df_y / dh;  m = 0 where g is among the largest `features` of its example, else 1
    L_task(head(m * h))

  where only those `examples` of the batch have features muted whose probability of the true class
  falls most by it. All sources are one here, so that a single one will do.

  Departs from the authors' code: that draws whether to mute channels or places of the last feature
  map; here are features, which have no place (as in DomainBed).

  Attributes:
    features: The share of features that is muted (the paper's 1/3).
    examples: The share of examples of the batch that have them muted (the paper's 1/3, of a network
      that was pretrained: one that begins anew hardly starts to learn at that, but does at 0.1).
  """

  features: Annotated[float, Uniform(0.0, 0.5)] = 1 / 3
  examples: Annotated[float, Uniform(0.0, 0.5)] = 1 / 3

  def check(self, batch_size: int) -> None:
    """Refuses what are no shares."""
    del batch_size
    needs.shares(self, 'features', 'examples')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of features that are partly muted."""
    del context
    (outputs,), examples = self.outputs(batch), batch.source.flat()
    mask = jax.lax.stop_gradient(self.mask(outputs, examples))
    logits = self.head(outputs.features * mask, domain=examples.domain, train=True)
    return {'task': self.task_loss(outputs.replace(logits=logits), examples)}

  def mask(self, outputs: Outputs, examples: Examples) -> jax.Array:
    """Returns `[batch, features]`: False where muted."""
    head = self.pure(_logits)
    true = lambda values: jnp.take_along_axis(values, examples.labels[:, None], axis=1)[:, 0]
    # Of a sum: each example's own gradient.
    slopes = jax.grad(lambda h: true(head(h, examples.domain)).sum())(outputs.features)
    largest = slopes > jnp.quantile(slopes, 1 - self.features, axis=1, keepdims=True)
    muted = head(jnp.where(largest, 0, outputs.features), examples.domain)
    loss = true(jax.nn.softmax(outputs.logits)) - true(jax.nn.softmax(muted))
    hurt = loss > jnp.quantile(axis.gather(loss), 1 - self.examples)
    return ~(largest & hurt[:, None])


def _logits(method: RSC, features: jax.Array, domain: jax.Array) -> jax.Array:
  """Predicts by the head alone, as in training."""
  return method.head(features, domain=domain, train=True)
