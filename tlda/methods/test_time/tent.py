"""Test-time adaptation by entropy minimisation (Wang et al., 2021)."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import traverse_util

from tlda import losses
from tlda.methods.batch import Batch, Context
from tlda.methods.initialization import prediction_variables
from tlda.methods.method import Objective, Params, States, Terms, Variables
from tlda.methods.test_time.normalized import Normalized


class TENT(Normalized):
  """Makes the predictions for each batch surer, by scale and bias of normalisation alone.

  Wang, Shelhamer, Liu, Olshausen, Darrell: *Tent: Fully Test-Time Adaptation by Entropy
  Minimization*, ICLR 2021. With the statistics of the batch in every batch normalisation,

    min over scale and bias of  mean_x H(f(x))

  one step a batch. The answer is the prediction of the forward pass of that step, before it: one
  pass a batch, as in the paper. Where the network begins anew with each batch, it is therefore that
  of `batch_norm_adaptation` without a prior.

  Departs from the authors' code: dropout of the head is off (there, the whole network is as in
  training). Other weights get gradients of 0, so that only a `--weight_decay` would move them.
  """

  def answer(self, batch: Batch, context: Context) -> jax.Array:
    """Returns the logits by which this step is made: those before it."""
    del context
    return self.by_batch(batch.target).logits

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the mean entropy of the predictions."""
    return {'entropy': losses.entropy(self.answer(batch, context)).mean()}

  def gradients(
    self, objective: Objective, params: Params, batch: Batch
  ) -> tuple[Params, tuple[Terms, States]]:
    """Returns the gradients of scale and bias, and zeros for all else."""
    gradients, results = super().gradients(objective, params, batch)
    variables = jax.eval_shape(lambda: prediction_variables(self.clone(parent=None)))
    own = _layers(variables)

    def kept(keys: tuple[jax.tree_util.DictKey, ...], leaf: jax.Array) -> jax.Array:
      return leaf if tuple(key.key for key in keys[:-1]) in own else jnp.zeros_like(leaf)

    return jax.tree.map_with_path(kept, gradients), results


def of_normalization(variables: Variables) -> dict[str, Any]:
  """Returns scale and bias of every batch normalisation, in the tree of the parameters."""
  flat, own = traverse_util.flatten_dict(variables['params']), _layers(variables)
  return traverse_util.unflatten_dict({k: v for k, v in flat.items() if k[:-1] in own})


def _layers(variables: Variables) -> set[tuple[str, ...]]:
  """Returns the paths of all batch normalisations: where there are running statistics."""
  return {path[:-1] for path in traverse_util.flatten_dict(variables['batch_stats'])}
