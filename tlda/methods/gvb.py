"""Gradually vanishing bridge (Cui et al., 2020)."""

from typing import Annotated

import flax.linen as nn
import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Outputs, Terms
from tlda.models import DomainClassifier, MLPHead, gradient_reversal
from tlda.ranges import LogUniform


class GVB(Method):
  """Aligns predictions, with bridges that take on what is a domain's own and then vanish.

  Cui, Wang, Zhuo, Su, Huang, Tian: *Gradually Vanishing Bridge for Adversarial Domain Adaptation*,
  CVPR 2020 (its GVB-GD). The bridge gamma of the generator is what predictions lose of the head's
  logits, the bridge sigma of the discriminator what its logit d loses:

    logits = head(f) - gamma(f),  D = sigmoid(d(g) - sigma(g)),  g = softmax(logits)
    min_network L_task - weight E(D) + generator_bridge E|gamma|
    min_D       E(D) + discriminator_bridge E|sigma|

  E(D) is the loss of the domain classifier, which sees predictions g and not features; an
  example's weight in it is exp(-H(g)), with the mean 1 in each domain. One backward pass finds
  both: the gradient of E(D) and E|sigma| is reversed where it enters g and the weights,
  `weight (2 / (1 + exp(-10 p)) - 1)` times.

  Attributes:
    domain_classifier: Its hidden layers are those of the discriminator, of which d and sigma are
      two outputs.
    weight: The value of lambda at the end of training (the paper's 1).
    generator_bridge: Of the size of gamma (the paper's lambda, 1).
    discriminator_bridge: Of the size of sigma (the paper's mu, 1).
  """

  domain_classifier: DomainClassifier = DomainClassifier()
  weight: float = 1.0
  generator_bridge: Annotated[float, LogUniform(0.1, 10.0)] = 1.0
  discriminator_bridge: Annotated[float, LogUniform(0.1, 10.0)] = 1.0

  def setup(self) -> None:
    """Makes the bridge of the generator, and the discriminator with its own."""
    like = self.domain_classifier
    self.bridge = nn.Dense(self.spec.classes)
    self.discriminator = MLPHead(like.hidden, 2, like.dropout)

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, whose predictions are all the same."""
    del batch_size
    needs.classes(self)

  def forward(self, inputs: jax.Array, domain: jax.Array | int, *, train: bool) -> Outputs:
    """Passes `[batch, ...]` inputs through extractor, head and bridge."""
    outputs = super().forward(inputs, domain, train=train)
    return outputs.replace(logits=outputs.logits - self.bridge(outputs.features))

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss, the domain loss, and the sizes of both bridges."""
    source, target = self.outputs(batch)
    bridge = [jnp.abs(self.bridge(x.features)).mean() for x in (source, target)]
    logits, sigmas, weights = zip(*(self._told(x, context) for x in (source, target)), strict=True)
    sigma = [jnp.abs(x).mean() for x in sigmas]
    return {
      'task': self.task_loss(source, batch.source),
      'domain': losses.domain_adversarial(
        *logits, source_weights=weights[0], target_weights=weights[1]
      ),
      'generator_bridge': self.generator_bridge * sum(bridge) / 2,
      'discriminator_bridge': self.discriminator_bridge * sum(sigma) / 2,
    }

  def _told(self, outputs: Outputs, context: Context) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns the discriminator's logit less its bridge, its bridge, and the weights."""
    logits = gradient_reversal(outputs.logits, self.weight * context.ramp())
    both = self.discriminator(jax.nn.softmax(logits), train=True)
    certain = jnp.exp(-losses.entropy(logits))
    mean = axis.mean(jax.lax.stop_gradient(certain).mean())
    return both[:, 0] - both[:, 1], both[:, 1], certain / mean
