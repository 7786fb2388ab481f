"""Domain-adversarial training across sources (Ganin et al., 2016)."""

from typing import Annotated

import jax

from tlda import losses
from tlda.methods.batch import Batch, Context
from tlda.methods.generalization.generalization import Generalization
from tlda.methods.method import Terms
from tlda.models import DomainClassifier, gradient_reversal
from tlda.ranges import LogUniform


class DANNAcross(Generalization):
  """Learns features of which no classifier can say the source.

  Ganin et al.: *Domain-Adversarial Training of Neural Networks*, JMLR 17 (2016), with the sources
  as the domains, as in Gulrajani, Lopez-Paz: *In Search of Lost Domain Generalization*, ICLR 2021:

    mean_e R_e - lambda(p) L_domain,  L_domain = mean_e E_e -log D(e | features)

  with the risk R_e of source e, a softmax D over sources that minimises L_domain, and
  `lambda(p) = weight (2 / (1 + exp(-10 p)) - 1)` where the gradient of L_domain is reversed.

  Departs from that comparison: there lambda is constant, D and the network move in turn (D up to
  eight times), and D's gradient may be penalised.

  Attributes:
    domain_classifier: Its hidden layers are those of D, which has a logit for each source.
    weight: The value of lambda at the end of training.
  """

  domain_classifier: DomainClassifier = DomainClassifier()
  weight: Annotated[float, LogUniform(0.01, 100.0)] = 1.0

  def setup(self) -> None:
    """Makes D."""
    self.discriminator = self.domain_classifier.of_several(len(self.spec.sources))

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the mean risk of the sources and D's loss."""
    (outputs,), examples = self.outputs(batch), batch.source.flat()
    logits = self.discriminator(self.reversed(outputs.features, context), train=True)
    domain = losses.cross_entropy(logits, examples.domain).mean()
    return {'task': self.task_loss(outputs, batch.source), 'domain': domain}

  def reversed(self, features: jax.Array, context: Context) -> jax.Array:
    """Returns the features, whose gradient is reversed."""
    return gradient_reversal(features, self.weight * context.ramp())
