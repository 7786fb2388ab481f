"""Conditional adversarial domain adaptation (Long et al., 2018)."""

import jax
import jax.numpy as jnp

from tlda import losses
from tlda.methods import needs
from tlda.methods.batch import Context
from tlda.methods.dann import DANN
from tlda.methods.method import Outputs
from tlda.models import gradient_reversal


class CDAN(DANN):
  """Aligns features jointly with what is predicted from them.

  Long, Cao, Wang, Jordan: *Conditional Adversarial Domain Adaptation*, NeurIPS 2018. As in DANN,
  but the domain classifier D sees features f and predicted probabilities g together:

    L_task - lambda(p) E(D),  E(D) = -E_source w log D(T(f, g)) - E_target w log(1 - D(T(f, g)))

  where T(f, g) is their outer product, or `(R_f f) * (R_g g) / sqrt(d)` of d entries with fixed
  random matrices R, which estimates its inner products where it is too large: the paper takes it
  above 4,096 entries. w is 1 or, with entropy conditioning, `1 + exp(-H(g))`.

  D minimises E(D); features and predictions both maximise it, the weights w too, so that they draw
  predictions to certainty. E(D) is halved here, the mean of two domains as in DANN.

  Departs from the authors' code: that sends no gradient to g in T(f, g) and normalises w to a mean
  of 1, neither of which is in the paper.

  Attributes:
    domain_classifier: Tells source from target, given T(f, g).
    entropy_conditioning: Whether examples with certain predictions weigh more (the paper's CDAN+E;
      `cdan_e` is this).
    random_dimension: The d of the randomised map (the paper's 1,024); 0 takes the outer product.
  """

  entropy_conditioning: bool = False
  random_dimension: int = 0

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, whose predictions say nothing, and a negative dimension."""
    del batch_size
    needs.classes(self)
    needs.at_least(self, 0, 'random_dimension')

  def domain_loss(self, source: Outputs, target: Outputs, context: Context) -> jax.Array:
    """Returns the domain classifier's loss, a scalar; features and logits get it reversed."""
    source, target = (
      jax.tree.map(lambda x: gradient_reversal(x, self.weight * context.ramp()), outputs)
      for outputs in (source, target)
    )
    return losses.domain_adversarial(
      self.domain_classifier(self.condition(source, context), train=True),
      self.domain_classifier(self.condition(target, context), train=True),
      source_weights=self._weights(source),
      target_weights=self._weights(target),
    )

  def condition(self, outputs: Outputs, context: Context) -> jax.Array:
    """Returns `[batch, d]`, the map T of features and predictions."""
    probabilities = jax.nn.softmax(outputs.logits)
    if not self.random_dimension:
      product = probabilities[:, :, None] * outputs.features[:, None, :]
      return product.reshape(len(product), -1)
    # The key of the first step, in every step: the matrices never change.
    key = context.replace(step=jnp.zeros_like(context.step), turn=0).key('random_map')
    mapped = 1.0
    for place, x in enumerate((outputs.features, probabilities)):
      shape = (x.shape[-1], self.random_dimension)
      mapped *= x @ jax.random.normal(jax.random.fold_in(key, place), shape, x.dtype)
    return mapped / self.random_dimension**0.5

  def _weights(self, outputs: Outputs) -> jax.Array | None:
    if not self.entropy_conditioning:
      return None
    return 1.0 + jnp.exp(-losses.entropy(outputs.logits))
