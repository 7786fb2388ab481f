"""Conditional invariant adversarial networks (Li et al., 2018)."""

import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.generalization.dann_across import DANNAcross
from tlda.methods.method import Terms


class CDANN(DANNAcross):
  """Learns features of which, given the class, no classifier can say the source.

  Li, Tian, Gong, Liu, Liu, Zhang, Tao: *Deep Domain Generalization via Conditional Invariant
  Adversarial Networks*, ECCV 2018. Features that hide the source altogether would have to hide the
  class where sources have different shares of it. So there is a domain classifier D_c for each of
  the C classes, and one, D, that sees all of them with equal shares. With the risk R_e of source e,

    mean_e R_e - lambda(p) (L_normalized + L_conditional)
    L_normalized  = mean_e 1/C sum_c E_(e, c) -log D(e | features)
    L_conditional = mean_e 1/C sum_c E_(e, c) -log D_c(e | features)

  where E_(e, c) is the mean over the examples of class c in the batch of source e, on all devices
  (0 of a class without any). D and the D_c minimise their losses; the gradient is reversed, and
  lambda rises, as in `dann_across`.

  Departs from the paper: the D_c share their hidden layers, their losses are averaged, not added,
  and the shares of classes are those of the batch.

  Attributes:
    domain_classifier: Its hidden layers are those of D, and those that all D_c share.
    weight: The value of lambda at the end of training.
  """

  def setup(self) -> None:
    """Makes D, and the D_c."""
    super().setup()
    logits = self.spec.classes * len(self.spec.sources)
    self.conditional = self.domain_classifier.of_several(logits)

  def check(self, batch_size: int) -> None:
    """Refuses a single source, and a problem of one class."""
    super().check(batch_size)
    needs.classes(self)

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the mean risk of the sources and the losses of D and of the D_c."""
    (outputs,), examples = self.outputs(batch), batch.source.flat()
    features = self.reversed(outputs.features, context)
    shares = self.shares(batch.source.labels).ravel()
    weighted = lambda logits: jnp.sum(shares * losses.cross_entropy(logits, examples.domain))
    by_class = self.conditional(features, train=True)
    by_class = by_class.reshape(len(features), self.spec.classes, -1)
    return {
      'task': self.task_loss(outputs, batch.source),
      'normalized': weighted(self.discriminator(features, train=True)),
      'conditional': weighted(by_class[jnp.arange(len(features)), examples.labels]),
    }

  def shares(self, labels: jax.Array) -> jax.Array:
    """Returns `[sources, batch]`, what examples of these labels weigh.

    On all devices together, each class weighs the same within each source; a mean over devices
    follows, so that one device alone is multiplied by their number.
    """
    one_hot = jax.nn.one_hot(labels, self.spec.classes)
    counts = axis.sum(one_hot.sum(1))
    own = jnp.take_along_axis(counts, labels, axis=1)
    return axis.size() / (own * self.spec.classes * len(labels))
