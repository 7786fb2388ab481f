"""ATDOC: neighbours in a memory bank vote on the labels of the target (Liang et al., 2021)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda import axis, losses
from tlda.errors import UserError
from tlda.methods import needs
from tlda.methods.bank import written
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Method, Outputs, States, Terms, Variables
from tlda.ranges import Choice, LogUniform


class ATDOC(Method):
  """Learns the class that the neighbours of a target example vote for, by a bank of the target.

  Liang, Hu, Feng: *Domain Adaptation with Auxiliary Target Domain-Oriented Classifier*, CVPR 2021,
  with neighbourhood aggregation. The bank holds normalised features and sharpened, class-balanced
  predictions q = f^2 / sum_x f(x)^2 (the sum over a batch, class by class) of each target example
  as it was last seen. With v(x) the mean of q over the `neighbours` nearest other examples,
  y(x) = argmax v(x) and w(x) = max v(x),

    L_task(source) + weight p sum_x w(x) cross_entropy(f(x), y(x)) / sum_x w(x).

  Departs from the authors' code: the bank takes features and predictions of the training step as
  they are, and not those of a second pass after the update; an example that was not seen yet has no
  vote, where in the code its place holds random features and all classes alike.

  Attributes:
    weight: The weight of the target's loss at the end of training (the paper's 0.2).
    neighbours: How many examples vote (the paper's 5).
  """

  weight: Annotated[float, LogUniform(0.02, 2.0)] = 0.2
  neighbours: Annotated[int, Choice((3, 5, 10))] = 5

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, and a target with fewer examples than voters."""
    needs.classes(self)
    if not 0 < self.neighbours < self.spec.target.examples:
      raise UserError(
        f'{self.neighbours} neighbours cannot vote: the target has '
        f'{self.spec.target.examples} examples'
      )

  def initial_states(self, variables: Variables) -> States:
    """Returns an empty bank."""
    del variables
    examples = self.spec.target.examples
    features = jnp.zeros((examples, self.feature_size()))
    return {'bank': {'features': features, 'votes': jnp.zeros((examples, self.spec.classes))}}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the source, and the loss of what the target's neighbours vote."""
    source, target = self.outputs(batch)
    seen = jax.lax.stop_gradient(target)
    votes = self.votes(seen.features, batch.target.index)
    self.remember(seen, batch.target.index)
    weights, labels = votes.max(axis=1), votes.argmax(axis=1)
    total = jnp.maximum(axis.mean(weights.mean()), 1e-12)
    learned = (weights * losses.cross_entropy(target.logits, labels)).mean() / total
    return {
      'task': self.task_loss(source, batch.source),
      'neighbours': self.weight * context.progress * learned,
    }

  def votes(self, features: jax.Array, index: jax.Array) -> jax.Array:
    """Returns the mean vote `[batch, classes]` of the examples nearest to these but themselves."""
    bank = self.get_variable('bank', 'features')
    likeness = jnp.matmul(features, bank.T, precision='highest')
    likeness = likeness.at[jnp.arange(len(index)), index].set(-jnp.inf)
    _, nearest = jax.lax.top_k(likeness, self.neighbours)
    return self.get_variable('bank', 'votes')[nearest].mean(axis=1)

  def remember(self, seen: Outputs, index: jax.Array) -> None:
    """Writes the batch of all devices into the bank."""
    index, features = axis.gather(index), axis.gather(seen.features)
    squares = jnp.square(jax.nn.softmax(axis.gather(seen.logits)))
    norms = jnp.linalg.norm(features, axis=1, keepdims=True)
    rows = {
      'features': features / jnp.maximum(norms, 1e-12),
      'votes': squares / jnp.maximum(squares.sum(axis=0), 1e-12),
    }
    for name, values in rows.items():
      self.put_variable('bank', name, written(self.get_variable('bank', name), index, values))
