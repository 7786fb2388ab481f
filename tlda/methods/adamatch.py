"""AdaMatch: FixMatch for a target that is not the source (Berthelot et al., 2022)."""

from typing import Annotated, ClassVar

import jax
import jax.numpy as jnp

from tlda import axis
from tlda.methods import needs
from tlda.methods.averaged import Averaged
from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.method import States, Terms, Variables
from tlda.ranges import Uniform


class AdaMatch(Averaged):
  """Learns, of a strong view of the target, what its weak view says once classes are balanced.

  Berthelot, Roelofs, Sohn, Carlini, Kurakin: *AdaMatch: A Unified Approach to Semi-Supervised
  Learning and Domain Adaptation*, ICLR 2022. Each example has a weak and a strong view. In turn:

  1. Random logit interpolation. The source passes the network twice: with the target, and alone,
     with other batch statistics. Its logits are a random point between the two, each of its own.
  2. Distribution alignment. The target's weak predictions are multiplied by E[source predictions]
     / E[target predictions], class by class, and normalised.
  3. Relative threshold. A target example counts where its aligned prediction is at least
     `threshold` times as sure as the source's weak predictions are on average.

  With the resulting probabilities q and mask m of the target, and the logits of its strong view,

    L_task(weak source) + L_task(strong source) + mu(p) mean_x m(x) cross_entropy(strong x, q(x)),
    mu(p) = 1/2 - cos(min(pi, 2 pi p)) / 2.

  A moving average of the weights predicts. The expectations are moving averages over batches.

  Departs from the authors' code, with the paper: the two source losses are added, not averaged, and
  q is soft. Departs from both: as many target as source examples in a step (theirs: three times),
  and both expectations are exponential averages (in the code one is a mean of 128 batches).

  Attributes:
    decay: The share of itself that the average of the weights keeps (the authors' 0.999).
    threshold: The confidence asked of the target, relative to the source's (the paper's 0.9).
    memory: The share of itself that an expectation keeps at each step (0.99 is ours: about as long
      as the authors' mean of 128 batches).
  """

  views: ClassVar[tuple[str, ...]] = ('weak', 'strong')

  threshold: Annotated[float, Uniform(0.5, 0.99)] = 0.9
  memory: float = 0.99

  def check(self, batch_size: int) -> None:
    """Refuses what no average can be made of, and a threshold that is no share."""
    super().check(batch_size)
    needs.shares(self, 'threshold', 'memory')

  def initial_states(self, variables: Variables) -> States:
    """Returns the averaged weights, and expected predictions that begin as all classes alike."""
    uniform = jnp.full(self.spec.classes, 1 / self.spec.classes)
    expected = {'source': uniform, 'target': uniform}
    return {**super().initial_states(variables), 'expected': expected}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task losses of both source views, and the loss of the target's strong views."""
    source, target = batch.source.flat(), batch.target
    seen, (weak, strong) = self.logits(source, target, context)
    sure = axis.mean(jax.nn.softmax(seen[0]).max(axis=1).mean())
    labels = jax.lax.stop_gradient(self.aligned(jax.nn.softmax(seen[0]), jax.nn.softmax(weak)))
    mask = labels.max(axis=1) >= self.threshold * sure
    learned = -jnp.sum(labels * jax.nn.log_softmax(strong), axis=1)
    mu = (1 - jnp.cos(jnp.minimum(jnp.pi, 2 * jnp.pi * context.progress))) / 2
    return {
      'task': sum(self.task.loss(view, source.labels).mean() for view in seen),
      'consistency': mu * (mask * learned).mean(),
      'monitor/confident': mask.mean(),
    }

  def logits(
    self, source: Examples, target: Examples, context: Context
  ) -> tuple[list[jax.Array], list[jax.Array]]:
    """Returns the weak and the strong view's logits of the source, interpolated, and the target."""
    views = [part.views[name] for part in (source, target) for name in self.views]
    domains = [source.domain, source.domain, target.domain, target.domain]
    inputs, domain = jnp.concatenate(views), jnp.concatenate(domains)
    together = self.forward(inputs, domain, train=True).logits
    # Running statistics are those of the pass of both domains: what this one writes is dropped.
    count = 2 * len(source.index)
    alone = self.pure('forward')(inputs[:count], domain[:count], train=True).logits

    draw = jax.vmap(lambda key: jax.random.uniform(key, (2, self.spec.classes)))
    share = draw(context.keys('interpolation', source)).swapaxes(0, 1).reshape(alone.shape)
    seen = share * together[:count] + (1 - share) * alone
    return jnp.split(seen, 2), jnp.split(together[count:], 2)

  def aligned(self, source: jax.Array, target: jax.Array) -> jax.Array:
    """Returns the target's probabilities as they would be if its classes came as the source's do.

    Args:
      source: `[batch, classes]` probabilities, which the source's expectation takes in.
      target: `[batch, classes]` probabilities, which the target's takes in.
    """
    expected = {}
    for name, seen in (('source', source), ('target', target)):
      mean = axis.mean(jax.lax.stop_gradient(seen).mean(axis=0))
      old = self.get_variable('expected', name)
      expected[name] = self.memory * old + (1 - self.memory) * mean
      self.put_variable('expected', name, expected[name])
    balanced = target * (1e-6 + expected['source']) / (1e-6 + expected['target'])
    return balanced / balanced.sum(axis=1, keepdims=True)
