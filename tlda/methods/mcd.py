"""Maximum classifier discrepancy (Saito et al., 2018)."""

from typing import Annotated

import jax

from tlda import losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.method import Method, Phase, Terms
from tlda.ranges import Choice


class MCD(Method):
  """Two classifiers look for target examples far from the source; the extractor brings them near.

  Saito, Watanabe, Ushiku, Harada: *Maximum Classifier Discrepancy for Unsupervised Domain
  Adaptation*, CVPR 2018. Two classifiers that both know the source agree where the target is like
  it, and may disagree elsewhere. Each training step has three phases on one batch, where `d` is the
  mean absolute difference of the probabilities that the two give to target examples:

    A  task:      min over all          L_task(head) + L_task(other_head)
    B  disagree:  min over classifiers  L_task(head) + L_task(other_head) - d(head, other_head)
    C  agree:     min over extractor    d(head, other_head), `repeats` times

  `other_head` is of the same make as `head`, with other initial weights; `head` predicts. Each
  domain passes through the network alone, as in the authors' code for digits; of a network with
  batch normalisation the running statistics are those of phase B, which sees both domains.

  Departs from the authors' code for VisDA, which has a class-balancing term (of weight 0.01) in A
  and B, and passes both domains together.

  Attributes:
    repeats: How often phase C runs in each step (n; the paper tries 2 to 4, its code takes 4).
  """

  repeats: Annotated[int, Choice((2, 3, 4))] = 4

  def setup(self) -> None:
    """Makes the second classifier."""
    self.other_head = self.head.clone(name=None, parent=None)

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, on which classifiers agree, and a step without phase C."""
    del batch_size
    needs.classes(self)
    needs.at_least(self, 1, 'repeats')

  def phases(self) -> tuple[Phase, ...]:
    """Returns A, B and C."""
    return (
      Phase('task', keeps_statistics=False),
      Phase('disagree', 'disagree', trains=('head', 'other_head')),
      Phase('agree', 'agree', ('extractor',), self.repeats, keeps_statistics=False),
    )

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Phase A: both classifiers learn the source, and the extractor with them."""
    labels = batch.source.flat().labels
    one, other = (self.task.loss(x, labels).mean() for x in self.both(batch.source, context))
    return {'task': one + other}

  def disagree(self, batch: Batch, context: Context) -> Terms:
    """Phase B: the classifiers part on the target as far as the source lets them."""
    discrepancy = self.discrepancy(*self.both(batch.target, context), context)
    return {**self.objective(batch, context), 'discrepancy': -discrepancy}

  def agree(self, batch: Batch, context: Context) -> Terms:
    """Phase C: the extractor moves target features to where the classifiers agree."""
    return {'discrepancy': self.discrepancy(*self.both(batch.target, context), context)}

  def both(self, examples: Examples, context: Context) -> tuple[jax.Array, jax.Array]:
    """Returns the logits of the two classifiers for the examples of one domain."""
    del context
    examples = examples.flat()
    outputs = self.forward(examples.inputs, examples.domain, train=True)
    return outputs.logits, self.other_head(outputs.features, domain=examples.domain, train=True)

  def discrepancy(self, logits: jax.Array, other: jax.Array, context: Context) -> jax.Array:
    """Returns how much the two classifiers disagree on this device's examples, a scalar."""
    del context
    return losses.classifier_discrepancy(logits, other).mean()
