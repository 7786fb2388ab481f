"""Multisource domain adversarial networks (Zhao et al., 2018)."""

from typing import Annotated

import flax.linen as nn
import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.dann import DANN
from tlda.methods.method import Outputs, Terms
from tlda.models import gradient_reversal
from tlda.ranges import LogUniform


class MDAN(DANN):
  """Aligns each source with the target by itself, and learns most from the worst of them.

  Zhao, Zhang, Wu, Costeira, Moura, Gordon: *Adversarial Multiple Source Domain Adaptation*, NeurIPS
  2018. Source i has a risk R_i and a domain classifier of its own, of loss E_i, that tells it from
  the target. What the network minimises is the largest of `R_i - lambda(p) E_i`, or, smoothed,

    1/sharpness log sum_i exp(sharpness (R_i - lambda(p) E_i))

  Its gradient is that of `sum_i w_i (R_i - lambda(p) E_i)` with w a softmax, or 1 for the largest;
  the terms are of this form, and hold w, which is of all devices, constant. A source that is
  learned badly or is far from the target (E_i small) weighs more. The domain classifiers minimise
  `sum_i w_i E_i` (gradient reversal). A single source works too: that is DANN.

  Departs from the paper: lambda rises as in DANN, where it is 1 in the theory and 0.01 throughout
  in the authors' code. That code also takes `R_i + 0.01 E_i` into the exponent, and adds the
  smallest E_i to the largest R_i in the version that is not smoothed.

  Attributes:
    domain_classifier: Tells a source from the target; each source has one of this make.
    weight: The value of lambda at the end of training.
    smoothed: Whether the maximum is smoothed.
    sharpness: Of the smoothed maximum (the paper's gamma; 10 in its code).
  """

  smoothed: bool = True
  sharpness: Annotated[float, LogUniform(1.0, 100.0)] = 10.0

  def check(self, batch_size: int) -> None:
    """Refuses a sharpness that is no positive number."""
    super().check(batch_size)
    needs.above(self, 0, 'sharpness')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the weighted risks and losses of the domain classifiers."""
    source, target = self.outputs(batch)
    losses_of = self.task.loss(source.logits, batch.source.flat().labels)
    risks = losses_of.reshape(len(self.spec.sources), -1).mean(1)
    domain = self.domain_losses(source, target, context)
    weights = self.weights(risks - self.weight * context.ramp() * domain)
    return {'task': jnp.sum(weights * risks), 'domain': jnp.sum(weights * domain)}

  def domain_losses(self, source: Outputs, target: Outputs, context: Context) -> jax.Array:
    """Returns the loss of each source's domain classifier on this device, `[sources]`."""
    reverse = lambda x: gradient_reversal(x, self.weight * context.ramp())
    own = reverse(source.features).reshape(len(self.spec.sources), -1, source.features.shape[-1])
    each = nn.vmap(
      lambda classifier, x, other: losses.domain_adversarial(
        classifier(x, train=True), classifier(other, train=True)
      ),
      in_axes=(0, None),
      variable_axes={'params': 0},
      split_rngs={'params': True, 'dropout': True},
    )
    return each(self.domain_classifier, own, reverse(target.features))

  def weights(self, values: jax.Array) -> jax.Array:
    """Returns the constant weights of the sources, `[sources]`, of their values on this device."""
    values = axis.mean(jax.lax.stop_gradient(values))
    if not self.smoothed:
      return jax.nn.one_hot(values.argmax(), len(values))
    return jax.nn.softmax(self.sharpness * values)
