"""Virtual adversarial domain adaptation (Shu et al., 2018)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda import losses
from tlda.methods import needs
from tlda.methods.alternating import Alternating
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.method import Terms
from tlda.methods.virtual_adversarial import virtual_adversarial
from tlda.ranges import LogUniform


class VADA(Alternating):
  """Aligns the domains, and keeps decision boundaries away from examples of both.

  Shu, Bui, Narui, Ermon: *A DIRT-T Approach to Unsupervised Domain Adaptation*, ICLR 2018. The
  cluster assumption is enforced by the conditional entropy H of the target, and by virtual
  adversarial training V of both domains:

    L_task + weight L_domain + source_weight V_source + target_weight (V_target + H_target)

  The domain classifier and the network move in turn, and the network minimises the classifier's
  loss under exchanged domains, which has a gradient where the classifier is sure.

  Departs from the authors' code: domains share the batch of batch normalisation, predictions are
  of the weights as they are (there, averaged over steps), and the direction of V is found
  without a finite difference (see `virtual_adversarial`).

  Attributes:
    weight: Of the domain loss (the paper's lambda_d, 0.01).
    source_weight: Of the smoothness of the source (the paper's lambda_s, 0 or 1).
    target_weight: Of smoothness and entropy of the target (the paper's lambda_t, 0.01).
    radius: How far V moves inputs, as a Euclidean length (the paper's 3.5, of 32x32 colour images
      from -1 to 1).
  """

  weight: Annotated[float, LogUniform(0.001, 0.1)] = 0.01
  source_weight: float = 1.0
  target_weight: Annotated[float, LogUniform(0.001, 0.1)] = 0.01
  radius: float = 3.5

  def check(self, batch_size: int) -> None:
    """Refuses one class, which has no boundary, text, and a radius of no length."""
    del batch_size
    needs.classes(self)
    needs.amounts(self)
    needs.above(self, 0, 'radius')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the network's terms."""
    source, target = self.outputs(batch)
    flipped = losses.domain_adversarial(self.domain_logits(target), self.domain_logits(source))
    logits = jnp.concatenate([source.logits, target.logits])
    both = _join(batch.source.flat(), batch.target)
    moved = virtual_adversarial(self, both, logits, context, self.radius)
    rows = len(source.logits)
    return {
      'task': self.task_loss(source, batch.source),
      'domain': self.weight * flipped,
      'source_smoothness': self.source_weight * moved[:rows].mean(),
      'target_smoothness': self.target_weight * moved[rows:].mean(),
      'entropy': self.target_weight * losses.entropy(target.logits).mean(),
    }


def _join(*parts: Examples) -> Examples:
  """Returns the examples of flat batches as one, without labels and views."""
  bare = [part.replace(labels=None, views={}) for part in parts]
  return jax.tree.map(lambda *x: jnp.concatenate(x), *bare)
