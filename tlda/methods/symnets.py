"""Domain-symmetric networks (Zhang et al., 2019)."""

import jax
import jax.numpy as jnp

from tlda import losses
from tlda.methods import needs
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.method import Method, Outputs, Phase, Terms

Pair = tuple[jax.Array, jax.Array]


class SymNets(Method):
  """Confuses two task heads, of the source and of the target, class by class.

  Zhang, Tang, Jia, Tan: *Domain-Symmetric Networks for Adversarial Domain Adaptation*, CVPR 2019.
  Heads C_s and C_t share the features; softmax over the 2K logits of both together, C_st, tells
  class and domain. In turn, with p_s and p_t the two halves of C_st's probabilities, y the class,

    heads      L_task(C_s) + L_task(C_t) - E_source log sum p_s - E_target log sum p_t
    extractor  -E_source (log p_s[y] + log p_t[y]) / 2
               + lambda(p) (-E_target (log sum p_s + log sum p_t) / 2 + E_target H(p_s + p_t))

  with the entropy H and `lambda(p) = 2 / (1 + exp(-10 p)) - 1`. All task losses are of the source.
  `head` is C_t, which predicts; `source_head` is C_s.

  Departs from the authors' code: the extractor's gradient is taken after the heads' move, not
  before it; and the code reports the better of both heads on the target's labels.
  """

  def setup(self) -> None:
    """Makes C_s, with initial weights of its own."""
    self.source_head = self.head.clone(name=None, parent=None)

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, which has no categories to confuse."""
    del batch_size
    needs.classes(self)

  def phases(self) -> tuple[Phase, ...]:
    """Returns the heads' move, then the extractor's."""
    return (
      Phase('heads', 'heads', ('head', 'source_head'), keeps_statistics=False),
      Phase('extractor', 'objective', ('extractor',)),
    )

  def heads(self, batch: Batch, context: Context) -> Terms:
    """Returns the heads' terms: the task of each, and the domain that both together tell."""
    del context
    source, target = self._pairs(batch)
    labels = batch.source.flat().labels
    # Twice the mean of the two domains' means: their sum.
    domain = 2 * losses.domain_adversarial(_domain_logits(source), _domain_logits(target))
    return {
      'source_task': self.task.loss(source[0], labels).mean(),
      'target_task': self.task.loss(source[1], labels).mean(),
      'domain': domain,
    }

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the extractor's terms: confusion of class and domain, and the target's entropy."""
    source, target = self._pairs(batch)
    labels, together = batch.source.flat().labels, jnp.concatenate(source, axis=1)
    categories = [
      losses.cross_entropy(together, labels + place) for place in (0, self.spec.classes)
    ]
    return {
      'category': sum(categories).mean() / 2,
      'domain': context.ramp() * losses.domain_confusion(_domain_logits(target)).mean(),
      # The probability of a class is the sum of both heads' shares of it.
      'entropy': context.ramp() * losses.entropy(jnp.logaddexp(*target)).mean(),
    }

  def _pairs(self, batch: Batch) -> tuple[Pair, Pair]:
    """Returns for source and target the logits of C_s and of C_t."""

    def pair(outputs: Outputs, examples: Examples) -> Pair:
      domain = examples.domain
      return self.source_head(outputs.features, domain=domain, train=True), outputs.logits

    source, target = self.outputs(batch)
    return pair(source, batch.source.flat()), pair(target, batch.target)


def _domain_logits(pair: Pair) -> jax.Array:
  """Returns `[batch]`, the log-odds of C_s's half of the probabilities."""
  source, target = (jax.nn.logsumexp(logits, axis=1) for logits in pair)
  return source - target
