"""Domain-adversarial training of neural networks (Ganin et al., 2016)."""

from typing import Annotated

import flax.linen as nn
import jax

from tlda import losses
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Outputs, Terms
from tlda.models import DomainClassifier, gradient_reversal
from tlda.ranges import LogUniform


class DANN(Method):
  """Learns features that a domain classifier cannot tell apart.

  Ganin, Ustinova, Ajakan, Germain, Larochelle, Laviolette, Marchand, Lempitsky: *Domain-Adversarial
  Training of Neural Networks*, JMLR 17 (2016). The saddle point of

    L_task(extractor, head) - lambda(p) L_domain(extractor, domain_classifier)

  is found in one backward pass: the gradient of the domain loss is reversed and multiplied by
  `lambda(p) = weight (2 / (1 + exp(-10 p)) - 1)` where it enters the extractor (eq. 14; p is the
  share of the planned training that is done), while the domain classifier learns at full weight.

  Attributes:
    domain_classifier: Tells source features from target features.
    weight: The value of lambda at the end of training (the paper's 1).
  """

  domain_classifier: nn.Module = DomainClassifier()
  weight: Annotated[float, LogUniform(0.01, 1.0)] = 1.0

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source and the loss of the domain classifier."""
    source, target = self.outputs(batch)
    domain = self.domain_loss(source, target, context)
    return {'task': self.task_loss(source, batch.source), 'domain': domain}

  def domain_loss(self, source: Outputs, target: Outputs, context: Context) -> jax.Array:
    """Returns the domain classifier's loss, a scalar; its gradient to the features is reversed."""
    coefficient = self.weight * context.ramp()
    return losses.domain_adversarial(
      self.domain_classifier(gradient_reversal(source.features, coefficient), train=True),
      self.domain_classifier(gradient_reversal(target.features, coefficient), train=True),
    )
