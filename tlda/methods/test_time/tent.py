"""Test-time adaptation by entropy minimisation (Wang et al., 2021)."""

import jax.numpy as jnp

from tlda import losses
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Terms
from tlda.methods.test_time.normalized import Normalized


class Tent(Normalized):
  """Makes the predictions for each batch surer, by scale and bias of normalisation alone.

  Wang, Shelhamer, Liu, Olshausen, Darrell: *Tent: Fully Test-Time Adaptation by Entropy
  Minimization*, ICLR 2021. With the statistics of the batch in every batch normalisation,

    min over scale and bias of  mean_x H(f(x))

  one step a batch. The answer is the prediction of the forward pass of that step, before it: one
  pass a batch, as in the paper.

  Departs from the authors' code: dropout of the head is off (there, the whole network is as in
  training).
  """

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the mean entropy of the predictions."""
    return {'entropy': jnp.mean(losses.entropy(self.answer(batch, context)))}
