"""Domain-adversarial training with one class for each domain."""

import jax
import jax.numpy as jnp

from tlda import losses
from tlda.methods.batch import Context
from tlda.methods.dann import DANN
from tlda.methods.method import Outputs
from tlda.models import DomainClassifier, gradient_reversal


class MultiDomainDANN(DANN):
  """Learns features of which no classifier can say the domain: which source, or the target.

  DANN (Ganin et al., *Domain-Adversarial Training of Neural Networks*, JMLR 2016) pools its
  sources into one domain. Here the domain classifier D is a softmax over all k sources and the
  target, as in Gulrajani, Lopez-Paz: *In Search of Lost Domain Generalization*, ICLR 2021:

    L_task - lambda(p) L_domain,  L_domain = mean_domains E -log D(domain | features)

  Its best on domains that are alike is log(k + 1). A single source works too: the two logits then
  say what DANN's one does.

  Attributes:
    domain_classifier: Its hidden layers are those of D, which has a logit for each domain.
    weight: The value of lambda at the end of training.
  """

  domain_classifier: DomainClassifier = DomainClassifier()

  def setup(self) -> None:
    """Makes D."""
    self.discriminator = self.domain_classifier.of_several(self.spec.domains)

  def domain_loss(self, source: Outputs, target: Outputs, context: Context) -> jax.Array:
    """Returns D's loss, a scalar; its gradient to the features is reversed."""
    features = jnp.concatenate([source.features, target.features])
    domains = jnp.repeat(jnp.arange(self.spec.domains), len(target.features))
    reversed_ = gradient_reversal(features, self.weight * context.ramp())
    return losses.cross_entropy(self.discriminator(reversed_, train=True), domains).mean()
