"""Meta-learning for domain generalisation (Li et al., 2018)."""

import jax

from tlda import axis
from tlda.methods import needs
from tlda.methods.batch import Batch
from tlda.methods.generalization.shuffled import Shuffled, moved, order_of, pick
from tlda.methods.method import Objective, Params, States, Terms


class MLDG(Shuffled):
  """Takes steps on some sources that are good for another source too, which plays the target.

  Li, Yang, Song, Hospedales: *Learning to Generalize: Meta-Learning for Domain Generalization*,
  AAAI 2018, algorithm 1. Each step draws one source to test on, with risk G; F is the mean risk of
  all others, at weights w:

    F(w) + weight G(w - inner_rate dF/dw)

  The gradient is exact: it passes through the inner step, by its second derivatives. F and G are
  risks of the whole batch, and of two passes through the network; running batch statistics are
  those of F. Weights that a transfer strategy holds still do not move in the inner step either.

  Attributes:
    weight: Of the risk on the source that is held out (the paper's beta, 1).
    inner_rate: The learning rate of the inner step (the paper's alpha, 5e-4 with AlexNet).
  """

  weight: float = 1.0
  inner_rate: float = 5e-4

  def check(self, batch_size: int) -> None:
    """Refuses a single source, a negative weight, and an inner step uphill."""
    super().check(batch_size)
    needs.at_least(self, 0, 'weight', 'inner_rate')

  def gradients(
    self, objective: Objective, params: Params, batch: Batch
  ) -> tuple[Params, tuple[Terms, States]]:
    """Returns the gradient of the risk before and after the inner step, and both as terms."""
    order = order_of(objective, params, batch)
    held, seen = pick(batch, order[:1]), pick(batch, order[1:])
    risk = lambda params, batch: objective(params, batch)[0]

    def whole(params: Params) -> tuple[jax.Array, tuple[Terms, States]]:
      inner = axis.mean(jax.grad(risk)(params, seen))
      before, (terms, states) = objective(params, seen)
      after = self.weight * risk(moved(params, inner, self.inner_rate), held)
      return before + after, ({**terms, 'held_out': after}, states)

    return jax.grad(whole, has_aux=True)(params)
