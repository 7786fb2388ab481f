"""Co-Tuning (You et al., 2020)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.methods.batch import Batch, Context
from tlda.methods.method import States, Terms, Variables
from tlda.methods.old_head import WithOldHead
from tlda.ranges import LogUniform

# Of a class that the start network gives no probability, the logarithm stays finite.
_SMALLEST = 1e-30


class CoTuning(WithOldHead):
  """Trains the old head too: on the old classes that each new class is related to.

  You, Kou, Long, Wang: *Co-Tuning for Transfer Learning*, NeurIPS 2020. With the old head's
  probabilities p_old of the trained network, and p*_old of the frozen start network,

    L_task + weight KL(relationship(y) || p_old(x)),
    relationship(y) = mean of p*_old over the examples of the new class y

  The old head comes from the published weights, or is that of the run to start from.

  Departs from the paper: the relationship is their direct one, a mean, but over the examples seen
  so far (each as often as it was seen) and not in a pass before training; and the start network is
  calibrated by a `temperature` that is given, where they fit it to examples of the old task, which
  are not at hand here.

  Attributes:
    weight: Of the old head's loss (the paper's lambda, 2.3).
    temperature: What the start network's logits are divided by.
  """

  weight: Annotated[float, LogUniform(0.1, 10.0)] = 2.3
  temperature: float = 1.0

  def initial_states(self, variables: Variables) -> States:
    """Returns the reference, and sums over no examples."""
    states = super().initial_states(variables)
    if self.old_head is None:  # Of a finished run, which only predicts.
      return states
    features = jnp.zeros((1, self.feature_size()))
    head = lambda: self.old_head.clone(parent=None).init_with_output(jax.random.key(0), features)
    old = jax.eval_shape(head)[0].shape[-1]
    sums = {'sums': jnp.zeros((self.spec.classes, old)), 'counts': jnp.zeros(self.spec.classes)}
    return {**states, 'relationship': sums}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the loss of the new head, and that of the old one."""
    (target,) = self.outputs(batch)
    labels = batch.target.labels
    own = self.old_logits(target.features, batch.target)
    reference = jax.nn.softmax(self.reference_logits(batch.target) / self.temperature)
    related = self._relationship(axis.gather(reference), axis.gather(labels))[labels]
    wanted = jnp.log(jnp.maximum(related, _SMALLEST))
    return {
      'task': self.task_loss(target, batch.target),
      'old_classes': self.weight * losses.kullback_leibler(own, wanted).mean(),
    }

  def _relationship(self, probabilities: jax.Array, labels: jax.Array) -> jax.Array:
    """Adds the global batch to what was seen; returns p(old class | class) of the seen classes."""
    sums, counts = (self.get_variable('relationship', name) for name in ('sums', 'counts'))
    sums, counts = sums.at[labels].add(probabilities), counts.at[labels].add(1)
    self.put_variable('relationship', 'sums', sums)
    self.put_variable('relationship', 'counts', counts)
    return category_relationship(sums, counts)


def category_relationship(sums: jax.Array, counts: jax.Array) -> jax.Array:
  """Returns the mean prediction of old classes for each new class.

  Args:
    sums: `[classes, old classes]`, predictions of the old classes, summed over examples of a class.
    counts: `[classes]`, the number of these examples.

  Returns:
    `[classes, old classes]`: rows of sum 1, or of zeros for a class without examples.
  """
  return sums / jnp.maximum(counts, 1)[:, None]
