"""Smooth domain adversarial training (Rangwani et al., 2022)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda import axis
from tlda.methods import needs
from tlda.methods.batch import Batch
from tlda.methods.cdan_e import CDANE
from tlda.methods.method import Objective, Params, States, Terms
from tlda.ranges import LogUniform


class SDAT(CDANE):
  """Takes CDAN+E to flat minima of the task loss, and leaves the domain loss as it is.

  Rangwani, Aithal, Mishra, Jain, Babu: *A Closer Look at Smoothness in Domain Adversarial
  Training*, ICML 2022. The task loss is minimised by sharpness-aware steps:

    max_{|e| <= rho} L_task(w + e) - lambda(p) E(D; w),  e = rho grad L_task / |grad L_task|

  at the weights w. Smoothing the adversarial loss too makes adaptation worse, the paper finds.

  Departs from the authors' code: that takes the domain loss at w + e too, and its scripts have CDAN
  without entropy conditioning (`entropy_conditioning` of False here).

  Attributes:
    rho: How far weights are moved to where the task loss is highest, as a Euclidean length (the
      authors' default 0.05; 0.02 in their scripts for Office-Home).
  """

  rho: Annotated[float, LogUniform(0.005, 0.5)] = 0.05

  def check(self, batch_size: int) -> None:
    """Refuses what CDAN refuses, and a negative length."""
    super().check(batch_size)
    needs.at_least(self, 0, 'rho')

  def gradients(
    self, objective: Objective, params: Params, batch: Batch
  ) -> tuple[Params, tuple[Terms, States]]:
    """Returns the task's gradient at the sharpest point near, plus the rest's at the weights."""

    def split(params: Params) -> tuple[jax.Array, jax.Array, tuple[Terms, States]]:
      total, results = objective(params, batch)
      task = results[0]['task']
      return task, total - task, results

    task = lambda params: split(params)[0]
    # Each gradient of its own: one with a cotangent of zeros would pass through what has no part in
    # it. The forward pass is the same, and compiled once.
    rest, results = jax.grad(lambda params: split(params)[1:], has_aux=True)(params)
    # The direction is that of the whole batch, the same on every device.
    uphill = axis.mean(jax.grad(task)(params))
    norm = jnp.sqrt(sum(jnp.vdot(leaf, leaf) for leaf in jax.tree.leaves(uphill)))
    length = self.rho / jnp.maximum(norm, 1e-12)
    sharp = jax.tree.map(lambda w, g: w + length * g, params, uphill)
    return jax.tree.map(jnp.add, jax.grad(task)(sharp), rest), results
