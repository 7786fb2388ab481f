"""Gradient matching between domains (Shi et al., 2022)."""

import jax
import jax.numpy as jnp

from tlda import axis
from tlda.methods import needs
from tlda.methods.batch import Batch
from tlda.methods.generalization.shuffled import Shuffled, moved, pick
from tlda.methods.method import Objective, Params, States, Terms


class Fish(Shuffled):
  """Steps from source to source, and goes where the whole way led: there, gradients agree.

  Shi, Seely, Torr, Siddharth, Hannun, Usunier, Synnaeve: *Gradient Matching for Domain
  Generalization*, ICLR 2022, algorithm 1. The inner weights v begin at the weights w and take one
  gradient step on each of the S sources, in an order drawn at each training step:

    v <- v - inner_rate dR_e/dw(v),  then w moves along (w - v) / (inner_rate S).

  Over all orders this is the gradient of mean_e R_e less inner_rate (S - 1) / 4 times the mean
  inner product of the gradients of two sources, to first order in inner_rate: the paper's aim,
  without its second derivatives. One source follows another, so that the gradients cannot come all
  at once.

  Departs from the paper: the direction is handed to the optimizer as a gradient. Plain descent with
  rate `r` is its outer step with epsilon = r / (inner_rate S). The inner steps are plain descent
  (Adam in the authors' code for most data). Running batch statistics, and the loss in the logs, are
  those of all sources together at w.

  Attributes:
    inner_rate: The learning rate of the steps from source to source (the paper's alpha).
  """

  inner_rate: float = 0.01

  def check(self, batch_size: int) -> None:
    """Refuses a single source, and inner steps uphill."""
    super().check(batch_size)
    needs.at_least(self, 0, 'inner_rate')

  def gradients(
    self, objective: Objective, params: Params, batch: Batch
  ) -> tuple[Params, tuple[Terms, States]]:
    """Returns the mean of the gradients on the way, and the terms of the batch as a whole."""
    _, (terms, states) = objective(params, batch)
    order = states['order']['sources']
    risk = lambda params, batch: objective(params, batch)[0]
    total = jax.tree.map(jnp.zeros_like, params)
    for turn in range(len(order)):  # No scan: on a CPU, convolutions in one are slow.
      here = moved(params, total, self.inner_rate)
      grads = axis.mean(jax.grad(risk)(here, pick(batch, order[turn, None])))
      total = jax.tree.map(jnp.add, total, grads)
    return jax.tree.map(lambda grad: grad / len(order), total), (terms, states)
