"""Domain confusion (Tzeng et al., 2015)."""

from typing import Annotated

from tlda import losses
from tlda.methods.alternating import Alternating
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Terms
from tlda.ranges import LogUniform


class DomainConfusion(Alternating):
  """Learns features of which a domain classifier gives each domain the same probability.

  Tzeng, Hoffman, Darrell, Saenko: *Simultaneous Deep Transfer Across Domains and Tasks*, ICCV 2015.
  In turn, the domain classifier minimises its loss L_D, and the network minimises

    L_task + weight L_conf,  L_conf = -(log q + log(1 - q)) / 2

  of all examples, where q is the classifier's probability of the source: the cross-entropy between
  the uniform distribution and q, least where q is one half, and not the negative of L_D.

  Without the paper's soft labels, which need labels of the target.

  Attributes:
    weight: Of the confusion (the paper's lambda, 0.01).
  """

  weight: Annotated[float, LogUniform(0.001, 0.1)] = 0.01

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the network's terms: task loss of the source, confusion of both domains."""
    del context
    source, target = self.outputs(batch)
    confusion = [losses.domain_confusion(self.domain_logits(x)).mean() for x in (source, target)]
    return {
      'task': self.task_loss(source, batch.source),
      'confusion': self.weight * sum(confusion) / 2,
    }
