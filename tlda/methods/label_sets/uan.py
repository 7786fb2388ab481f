"""Universal domain adaptation (You et al., 2019)."""

from typing import Annotated

import flax.linen as nn
import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.label_sets.rejecting import Rejecting
from tlda.methods.method import Outputs, Terms
from tlda.models import DomainClassifier, gradient_reversal
from tlda.ranges import LogUniform


class UAN(Rejecting):
  """Aligns those examples of both domains whose classes both seem to have, and rejects the others.

  You, Long, Cao, Wang, Jordan: *Universal Domain Adaptation*, CVPR 2019. A first domain classifier
  D', of which the features learn nothing, says how much of the source an example is, the entropy H
  of the prediction how far from the source's classes; with K of these,

    w_source(x) = H(p(x)) / log K - D'(x),  w_target(x) = D'(x) - H(p(x)) / log K

  weigh the examples in the loss of the second, D, that is played against:

    L_task - lambda(p) (mean_source w_source L_D + mean_target w_target L_D) / 2

  An example is unknown where w_target < threshold.

  The weights of a batch are moved and scaled to lie between 0 and 1, then divided by their mean.

  Departs from the authors' code: there the source's entropy is that of logits divided by 10.

  Attributes:
    domain_classifier: Tells source features from target features; that which weighs is like it.
    weight: The value of lambda at the end of training.
    threshold: The least w_target of a known example, from -1 to 1 (chosen for each problem in the
      paper).
  """

  domain_classifier: nn.Module = DomainClassifier()
  weight: Annotated[float, LogUniform(0.01, 1.0)] = 1.0
  threshold: float = 0.0

  def setup(self) -> None:
    """Makes the classifier that weighs."""
    self.weighing_classifier = self.domain_classifier.clone(name=None, parent=None)

  def check(self, batch_size: int) -> None:
    """Refuses a single known class, whose entropy says nothing, and a batch of one example."""
    needs.classes(self, 3)
    needs.examples(self, batch_size)

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and the losses of both domain classifiers."""
    source, target = self.outputs(batch)
    weighing = [self._weighing(x, train=True) for x in (source, target)]
    shared = [
      scaled(sign * self._transferability(x, logits))
      for sign, x, logits in zip((-1, 1), (source, target), weighing, strict=True)
    ]
    coefficient = self.weight * context.ramp()
    playing = [
      self.domain_classifier(gradient_reversal(x.features, coefficient), train=True)
      for x in (source, target)
    ]
    return {
      'task': self.known_loss(source, batch.source),
      'weighing': losses.domain_adversarial(*weighing),
      'domain': losses.domain_adversarial(
        *playing, source_weights=shared[0], target_weights=shared[1]
      ),
    }

  def rejects(self, outputs: Outputs) -> jax.Array:
    """Tells where w_target is below the threshold."""
    logits = self._weighing(outputs, train=False)
    return self._transferability(outputs, logits) < self.threshold

  def _weighing(self, outputs: Outputs, *, train: bool) -> jax.Array:
    return self.weighing_classifier(jax.lax.stop_gradient(outputs.features), train=train)

  def _transferability(self, outputs: Outputs, domain_logits: jax.Array) -> jax.Array:
    """Returns w_target `[batch]`; that of the source is its negative."""
    uncertain = losses.entropy(self.known(outputs)) / jnp.log(self.spec.classes - 1)
    return jax.lax.stop_gradient(jax.nn.sigmoid(domain_logits) - uncertain)


def scaled(weights: jax.Array) -> jax.Array:
  """Returns weights `[batch]` moved and scaled to [0, 1] over all devices, divided by their mean.

  Equal weights stay equal: all are 1.
  """
  every = axis.gather(weights)
  width = every.max() - every.min()
  safe = jnp.where(width > 0, width, 1.0)
  between = lambda x: jnp.where(width > 0, (x - every.min()) / safe, 1.0)
  return between(weights) / between(every).mean()
