"""Gradual self-training (Kumar et al., 2020)."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.method import DomainPass, Method, Outputs, States, Terms, Variables


class GradualSelfTraining(Method):
  """Learns a domain from the labels that the network gives it before it learns.

  Kumar, Ma, Liang: *Understanding Self-Training for Gradual Domain Adaptation*, ICML 2020. With the
  network g as it comes from the domain before,

    y(x) = argmax g(x),   min mean_target [max softmax g(x) is not among the lowest] L_task(y)

  Where each domain is near to the one before, errors stay few along the way; a single step from the
  source to the target has no such bound. One run is one step of the sequence: the next begins with
  its weights (`--init_from`).

  Attributes:
    left_out: The share of examples, those that the network is least sure of, that are not learned
      from (the paper's 0.1).
  """

  reads: ClassVar[frozenset[str]] = frozenset({'target'})
  first_stage: ClassVar[str | None] = 'source_only'

  left_out: float = 0.1

  def check(self, batch_size: int) -> None:
    """Refuses a problem of one class, and a share that is none."""
    del batch_size
    needs.classes(self)
    needs.shares(self, 'left_out')

  def domain_passes(self) -> tuple[DomainPass, ...]:
    """Returns the one pass, before the first step."""
    return (DomainPass('label', 1),)

  def initial_states(self, variables: Variables) -> States:
    """Returns labels of the whole target, of which none counts yet."""
    del variables
    count = self.spec.target.examples
    labels = jnp.zeros(count, jnp.int32)
    return {'pseudo_labels': {'labels': labels, 'counts': jnp.zeros(count)}}

  def label(self, variables: Any, outputs: Outputs) -> States:
    """Returns the labels that `[examples, classes]` logits of the whole target give."""
    del variables
    sure = jax.nn.softmax(outputs.logits).max(axis=1)
    rank = jnp.argsort(jnp.argsort(sure))
    counts = (rank >= int(self.left_out * len(sure))).astype(jnp.float32)
    labels = outputs.logits.argmax(axis=1).astype(jnp.int32)
    return {'pseudo_labels': {'labels': labels, 'counts': counts}}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss of the pseudo-labels that count."""
    del context
    (target,) = self.outputs(batch)
    held = self.variables['pseudo_labels']
    losses = self.task.loss(target.logits, held['labels'][batch.target.index])
    return {'task': (held['counts'][batch.target.index] * losses).mean()}
