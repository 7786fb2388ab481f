"""Spectral decoupling (Pezeshki et al., 2021)."""

from typing import Annotated

import jax.numpy as jnp

from tlda.methods import needs
from tlda.methods.batch import Batch, Context
from tlda.methods.generalization.generalization import Generalization
from tlda.methods.method import Terms
from tlda.ranges import LogUniform


class SpectralDecoupling(Generalization):
  """Keeps logits small, so that what is learned first does not starve the other features.

  Pezeshki, Kaba, Bengio, Courville, Precup, Lajoie: *Gradient Starvation: A Learning Proclivity in
  Neural Networks*, NeurIPS 2021, with logits f(x):

    L_task + weight / 2 mean_x |f(x)|^2

  over all sources as one, so that a single one will do.

  Departs from DomainBed: its penalty is the mean over examples and classes, without the half; a
  weight there is `2 / classes` times as large here.

  Attributes:
    weight: Of the squared logits (the paper's lambda, which it searches for each problem; 0.1 in
      DomainBed's measure).
  """

  weight: Annotated[float, LogUniform(1e-5, 0.1)] = 0.1

  def check(self, batch_size: int) -> None:
    """Refuses a negative weight."""
    del batch_size
    needs.at_least(self, 0, 'weight')

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the task loss, and the squared length of the logits."""
    del context
    (outputs,) = self.outputs(batch)
    lengths = jnp.square(outputs.logits).sum(axis=-1)
    return {
      'task': self.task_loss(outputs, batch.source),
      'logits': self.weight / 2 * lengths.mean(),
    }
