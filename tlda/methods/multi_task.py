"""Several tasks at once, on shared features (Caruana, 1997), weighted by uncertainty if asked."""

from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from tlda.methods.batch import Batch, Context, Examples
from tlda.methods.method import Method, Outputs, Terms


class MultiTask(Method):
  """Learns every domain's labels, each with a head of its own on the shared extractor.

  Caruana: *Multitask Learning*, Machine Learning 28 (1997). Every source is a task, and so is the
  labelled target,

    sum_d L_task(d)

  or, weighted by the uncertainty of each task, Kendall, Gal, Cipolla: *Multi-Task Learning Using
  Uncertainty to Weigh Losses for Scene Geometry and Semantics*, CVPR 2018, eq. 10, with a learned
  `s_d = log sigma_d^2` that begins at 0,

    sum_d exp(-s_d) L_task(d) + s_d / 2

  `head` is the target's, `source_heads` are those of the sources in order. An example is predicted
  by the head of the domain that is asked for. It is supervised, as `target_only` is: no adaptation
  may be compared with it.

  Departs from the papers: all tasks have the same names of classes, as all domains of a run have
  (such as departments whose reviews are good or bad); only what they look like differs.

  Attributes:
    uncertainty: Whether the weights of tasks are learned; otherwise each is 1.
  """

  reads: ClassVar[frozenset[str]] = frozenset({'source', 'target', 'target_labels'})

  uncertainty: bool = False

  def setup(self) -> None:
    """Makes a head for each source, with initial weights of its own, and the uncertainties."""
    self.source_heads = [self.head.clone(name=None, parent=None) for _ in self.spec.sources]
    if self.uncertainty:
      shape = (self.spec.domains,)
      self.log_variances = self.param('log_variances', nn.initializers.zeros, shape)

  def forward(self, inputs: jax.Array, domain: jax.Array | int, *, train: bool) -> Outputs:
    """Passes `[batch, ...]` inputs through the extractor, and each to the head of its domain."""
    features = self.extractor(inputs, domain=domain, train=train)
    heads = (*self.source_heads, self.head)
    every = jnp.stack([head(features, domain=domain, train=train) for head in heads])
    own = jnp.broadcast_to(domain, len(features))
    return Outputs(features, every[own, jnp.arange(len(features))])

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the loss of each task, `task_d` of domain d (the target's is the last).

    With uncertainties there are also their sum, `log_variance`, and what each task's loss was
    multiplied by, `monitor/weight_d`.
    """
    del context
    each = [
      self.task.loss(own.logits, part.flat().labels).reshape(_domains(part), -1).mean(1)
      for own, part in zip(self.outputs(batch), batch.parts(), strict=True)
    ]
    tasks = jnp.concatenate(each)
    if not self.uncertainty:
      return _named('task', tasks)
    weights = jnp.exp(-self.log_variances)
    return {
      **_named('task', weights * tasks),
      'log_variance': self.log_variances.sum() / 2,
      **_named('monitor/weight', weights),
    }


def _domains(examples: Examples) -> int:
  """Returns how many domains the examples are of."""
  return 1 if examples.index.ndim == 1 else len(examples.index)


def _named(name: str, values: jax.Array) -> Terms:
  return {f'{name}_{place}': value for place, value in enumerate(values)}
