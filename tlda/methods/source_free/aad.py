"""AaD: attracting and dispersing predictions of the target (Yang et al., 2022)."""

from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np

from tlda import axis
from tlda.errors import UserError
from tlda.methods import needs
from tlda.methods.bank import written
from tlda.methods.batch import Batch, Context
from tlda.methods.method import DomainPass, Outputs, States, Terms, Variables
from tlda.methods.source_free.source_free import SourceFree
from tlda.ranges import Uniform


class AaD(SourceFree):
  """Draws each prediction to those of its neighbours, and away from those of the batch.

  Yang, Wang, Wang, Jui, van de Weijer: *Attracting and Dispersing: A Simple Approach for
  Source-free Domain Adaptation*, NeurIPS 2022, eq. 5, with probabilities p, the `neighbours`
  nearest other examples C_i of the target by the cosine of features, and the batch B:

    mean_i (- sum_{j in C_i} p_i p_j + weight (1 + 10 progress)^-decay sum_{m in B, m != i} p_i p_m)

  A bank holds normalised features and probabilities of the whole target, at first by a pass over
  it, then as last seen; no gradient goes there. Extractor and head both move.

  Departs from the authors' code: an example is no neighbour of its own because of its index (there,
  because the nearest one is left out).

  Attributes:
    weight: Of the dispersion at the start (the paper's lambda begins at 1).
    decay: How fast it falls (the paper's beta: 5 on VisDA, where the target is large; 0 on
      Office-Home).
    neighbours: How many attract (the paper's K: 5 on VisDA, 3 on small targets).
  """

  weight: float = 1.0
  decay: Annotated[float, Uniform(0.0, 5.0)] = 5.0
  neighbours: int = 5

  def check(self, batch_size: int) -> None:
    """Refuses what has no classes or no batch, negative fields, and too few to be neighbours."""
    super().check(batch_size)
    needs.at_least(self, 0, 'weight', 'decay')
    needs.at_least(self, 1, 'neighbours')
    if self.neighbours >= self.spec.target.examples:
      raise UserError(
        f'{self.neighbours} neighbours cannot attract: the target has '
        f'{self.spec.target.examples} examples'
      )

  def initial_states(self, variables: Variables) -> States:
    """Returns the place of the bank; the pass before the first step fills it."""
    del variables
    examples = self.spec.target.examples
    features = jnp.zeros((examples, self.feature_size()))
    return {'bank': {'features': features, 'votes': jnp.zeros((examples, self.spec.classes))}}

  def domain_passes(self) -> tuple[DomainPass, ...]:
    """Returns the pass that fills the bank."""
    return (DomainPass('fill', times=1),)

  def fill(self, variables: Any, outputs: Outputs) -> States:
    """Returns the bank of the whole target as the source run sees it."""
    del variables
    return {'bank': jax.tree.map(np.asarray, _rows(jax.tree.map(jnp.asarray, outputs)))}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns how unlike neighbours predictions are, and how like the rest of the batch."""
    (target,) = self.outputs(batch)
    self.remember(jax.lax.stop_gradient(target), batch.target.index)
    own = jax.nn.softmax(target.logits)
    attraction = (own * self.votes(target.features, batch.target.index)).sum(axis=1).mean()
    every = axis.gather(own)
    total = every.sum(axis=0)
    # The sum over all pairs, but for those of an example with itself.
    dispersion = (jnp.square(total).sum() - jnp.square(every).sum()) / len(every)
    weight = self.weight * (1 + 10 * context.progress) ** -self.decay
    return {'attraction': -attraction, 'dispersion': weight * dispersion}

  def votes(self, features: jax.Array, index: jax.Array) -> jax.Array:
    """Returns the summed probabilities `[batch, classes]` of the nearest others in the bank."""
    bank = self.get_variable('bank', 'features')
    # Within a row the length of a feature changes no order.
    features = jax.lax.stop_gradient(features)
    likeness = jnp.matmul(features, bank.T, precision='highest')
    likeness = likeness.at[jnp.arange(len(index)), index].set(-jnp.inf)
    _, nearest = jax.lax.top_k(likeness, self.neighbours)
    return self.get_variable('bank', 'votes')[nearest].sum(axis=1)

  def remember(self, seen: Outputs, index: jax.Array) -> None:
    """Writes the batch of all devices into the bank."""
    index = axis.gather(index)
    for name, values in _rows(jax.tree.map(axis.gather, seen)).items():
      self.put_variable('bank', name, written(self.get_variable('bank', name), index, values))


def _rows(seen: Outputs) -> dict[str, jax.Array]:
  """Returns what the bank keeps of examples: directions of features, and probabilities."""
  norms = jnp.linalg.norm(seen.features, axis=1, keepdims=True)
  features = seen.features / jnp.maximum(norms, 1e-12)
  return {'features': features, 'votes': jax.nn.softmax(seen.logits)}
