"""MME: minimax entropy over a cosine classifier (Saito et al., 2019)."""

from typing import Annotated

import jax

from tlda import losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.directions import unit
from tlda.methods.few_labels.few_labels import FewLabels
from tlda.methods.method import Outputs, Terms
from tlda.models import gradient_reversal
from tlda.ranges import LogUniform


class MME(FewLabels):
  """Moves the classifier's prototypes towards the target, and the target's features to them.

  Saito, Kim, Sclaroff, Darrell, Saenko: *Semi-supervised Domain Adaptation via Minimax Entropy*,
  ICCV 2019, eq. 3 and 4, with the mean entropy H of the predictions for the unlabelled target and
  L the mean task loss of all labelled examples:

    head:  min L - weight H        extractor:  min L + weight H

  in one step, by a reversal of the gradient between the two. The head sees normalised features,
  divided by a temperature, so that each column of a linear head is a prototype:
  W^T F(x) / (temperature |F(x)|).

  Departs from the authors' code: a head that has a bias keeps it; all examples of a step share one
  batch, as to batch normalisation; the labelled examples of the target are among the unlabelled
  ones too.

  Attributes:
    weight: Of the entropy (the paper's lambda, 0.1).
    temperature: Of the head (the paper's 0.05).
  """

  weight: Annotated[float, LogUniform(0.01, 1.0)] = 0.1
  temperature: float = 0.05

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, a negative weight, and a temperature of nothing."""
    del batch_size
    needs.classes(self)
    needs.at_least(self, 0, 'weight')
    needs.above(self, 0, 'temperature')

  def forward(self, inputs: jax.Array, domain: jax.Array | int, *, train: bool) -> Outputs:
    """Passes `[batch, ...]` inputs through the extractor and, normalised, through the head."""
    features = self.extractor(inputs, domain=domain, train=train)
    return Outputs(features, self.classified(features, domain, train=train))

  def classified(self, features: jax.Array, domain: jax.Array | int, *, train: bool) -> jax.Array:
    """Returns logits `[batch, classes]` of the directions of features `[batch, d]`."""
    return self.head(unit(features) / self.temperature, domain=domain, train=train)

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task losses, and minus the entropy, reversed below the head."""
    source, target, labelled = self.outputs(batch)
    reversed_features = gradient_reversal(target.features, 1.0)
    logits = self.classified(reversed_features, batch.target.domain, train=True)
    entropy = losses.entropy(logits).mean()
    return {**self.supervised(source, labelled, batch), 'entropy': -self.weight * entropy}
