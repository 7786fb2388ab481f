"""The base of adversarial methods whose two players move in turn, without gradient reversal."""

import flax.linen as nn
import jax

from tlda import losses
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Outputs, Phase, Terms
from tlda.models import DomainClassifier


class Alternating(Method):
  """Trains the domain classifier, then the network against it, on the same batch.

  The phase 'domain' moves only the domain classifier, by `domain_objective`; the phase 'network'
  only extractor and head, by the subclass's `objective`, which may have another loss than the
  negative of the classifier's.

  Attributes:
    domain_classifier: Tells source features from target features.
  """

  domain_classifier: nn.Module = DomainClassifier()

  def phases(self) -> tuple[Phase, ...]:
    """Returns the domain classifier's move, then the network's."""
    return (
      Phase('domain', 'domain_objective', ('domain_classifier',), keeps_statistics=False),
      Phase('network', 'objective', ('extractor', 'head')),
    )

  def domain_objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the loss of the domain classifier, which it minimises."""
    del context
    source, target = map(self.domain_logits, self.outputs(batch))
    return {'domain': losses.domain_adversarial(source, target)}

  def domain_logits(self, outputs: Outputs) -> jax.Array:
    """Returns `[batch]`, what the domain classifier says of features."""
    return self.domain_classifier(outputs.features, train=True)
