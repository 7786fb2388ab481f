"""Self-Tuning: pseudo group contrast over labels and pseudo-labels (Wang et al., 2021)."""

from typing import ClassVar

import jax
import jax.numpy as jnp

from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.bi_tuning import BiTuning
from tlda.methods.method import Method, States, Terms, Variables


class SelfTuning(BiTuning):
  """Contrasts target examples with keys of all classes; whose class is unknown, by a guess of it.

  Wang, Gao, Long, Wang: *Self-Tuning for Data-Efficient Deep Learning*, ICML 2021, eq. 4 and 6. A
  trained network, here a source run, is tuned on the few labels and all of the target. With
  projections z of norm 1, the labels y of the labelled and y = argmax f(x) of the others,

    L_task(labelled) + weight (PGC(labelled) + PGC(unlabelled)),
    PGC = - mean over positives of log p_x(z),
    p_x(z) = exp(z_x z / temperature) / sum_keys exp(z_x z' / temperature)

  Keys are projections of earlier examples of both kinds, the last few of each class, made by a
  slowly moving average of the network. Those of class y and the key of the example's other view are
  the positives: a wrong guess is one among many. Queue and contrast are those of `bi_tuning`.

  Departs from the authors' code: queries are the examples as they are, unless --augment moves them
  (there, another view); the labelled examples are among the unlabelled ones too; a place in the
  queue that was not filled yet is left out, where it has random numbers there.

  Attributes:
    weight: Of both contrasts (the paper's 1).
    keys_per_class: How many are kept of each class (the paper's 32).
    momentum: The share of itself that the network of the keys keeps at each step (the paper's
      0.999).
    temperature: What similarities are divided by (the paper's 0.07).
    projection: The width of the projection (the paper's 1024).
  """

  reads: ClassVar[frozenset[str]] = frozenset({'target', 'labelled_target'})
  first_stage: ClassVar[str | None] = 'source_only'

  keys_per_class: int = 32
  projection: int = 1024

  def check(self, batch_size: int) -> None:
    """Refuses one class, texts, and fields that make no sense."""
    del batch_size
    needs.classes(self)
    needs.amounts(self)
    needs.at_least(self, 0, 'weight')
    needs.at_least(self, 1, 'keys_per_class', 'projection')
    needs.above(self, 0, 'temperature')
    needs.shares(self, 'momentum')

  def initial_states(self, variables: Variables) -> States:
    """Returns the network of the keys, and an empty queue of projections."""
    states = super().initial_states(variables)
    states['queue'].pop('features')
    return states

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the labelled examples, and the contrasts of both kinds."""
    del context
    target, labelled = self.outputs(batch)
    parts = (batch.target, batch.labelled_target)
    of_target, of_labelled = (self.projected(part.features) for part in (target, labelled))
    params = {**self.variables['params'], **self.variables['key_network']['params']}
    make_keys = self.pure(_keys, {**self.variables, 'params': params})
    joined = lambda values: jnp.concatenate(list(values))
    keys = make_keys(joined(x.views['weak'] for x in parts), joined(x.domain for x in parts))
    keys = jax.lax.stop_gradient(keys)
    count = len(batch.target.index)
    guesses = jax.lax.stop_gradient(target.logits).argmax(axis=1)
    terms = {'task': self.task_loss(labelled, batch.labelled_target)}
    # The guesses are held against keys of true classes of this step, too.
    for name, queries, own, labels in (
      ('labelled', of_labelled, keys[count:], batch.labelled_target.labels),
      ('unlabelled', of_target, keys[:count], guesses),
    ):
      contrast = self.contrast(queries, own, 'projections', labels)
      terms[name] = self.weight * contrast.mean()
      self.remember({'projections': own}, labels)
    return terms


def _keys(method: Method, inputs: jax.Array, domain: jax.Array) -> jax.Array:
  return method.projected(method.extractor(inputs, domain=domain, train=True))
