"""One-vs-all network for universal domain adaptation (Saito and Saenko, 2021)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.label_sets.rejecting import Rejecting
from tlda.methods.method import Outputs, Terms
from tlda.models import Linear
from tlda.ranges import LogUniform


class OVANet(Rejecting):
  """Learns of the source how far apart classes are, and rejects what is that far from all.

  Saito, Saenko: *OVANet: One-vs-All Network for Universal Domain Adaptation*, ICCV 2021. Beside the
  head there is a classifier for each known class k that says with probability q_k whether an
  example is of it or of any other. Of source examples its own class learns, and the one of the
  others that errs most; of the target their entropy h is minimised:

    L_task + mean_source [-log q_y - min_{k != y} log(1 - q_k)] + entropy mean_target mean_k h(q_k)

  The class is the head's; it is unknown where its own q is below one half.

  Departs from the paper: q_k is the sigmoid of one logit, not the softmax of two. The authors' code
  halves the second term, and brings the one-vs-all weights to length 1 at each step.

  Attributes:
    entropy: Of the target's entropy (the paper's lambda, 0.1).
  """

  entropy: Annotated[float, LogUniform(0.01, 1.0)] = 0.1

  def setup(self) -> None:
    """Makes the classifiers of one class against all others."""
    self.open_head = Linear(self.spec.classes - 1)

  def check(self, batch_size: int) -> None:
    """Refuses a single known class, which has no other beside it, and a negative weight."""
    del batch_size
    needs.classes(self, 3)
    needs.at_least(self, 0, 'entropy')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss, the loss of one class against the others, and entropy."""
    del context
    source, target = self.outputs(batch)
    own, others = one_against_all(self.open_head(source.features), batch.source.flat().labels)
    open_logits = self.open_head(target.features)
    certain = jax.nn.sigmoid(open_logits)
    doubt = certain * jax.nn.softplus(-open_logits) + (1 - certain) * jax.nn.softplus(open_logits)
    return {
      'task': self.known_loss(source, batch.source),
      'own_class': own.mean(),
      'nearest_class': others.mean(),
      'entropy': self.entropy * doubt.mean(),
    }

  def rejects(self, outputs: Outputs) -> jax.Array:
    """Tells where the classifier of the predicted class says that it is another."""
    predicted = self.known(outputs).argmax(axis=1)
    logits = self.open_head(outputs.features)
    return jnp.take_along_axis(logits, predicted[:, None], axis=1)[:, 0] < 0


def one_against_all(logits: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array]:
  """Returns the losses of an example's own class and of the other that errs most, `[batch]` each.

  Args:
    logits: `[batch, classes]`, the log-odds that an example is of each class.
    labels: `[batch]` int32.
  """
  own = jnp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
  other = jnp.where(jax.nn.one_hot(labels, logits.shape[1], dtype=bool), -jnp.inf, logits)
  return jax.nn.softplus(-own), jax.nn.softplus(other.max(axis=1))
