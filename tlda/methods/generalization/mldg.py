"""Meta-learning for domain generalisation (Li et al., 2018)."""

from typing import Annotated

import jax

from tlda import axis
from tlda.methods import needs
from tlda.methods.batch import Batch
from tlda.methods.generalization.shuffled import Shuffled, moved, order_of, pick
from tlda.methods.method import Objective, Params, States, Terms
from tlda.ranges import LogUniform


class MLDG(Shuffled):
  """Takes steps on some sources that are good for another source too, which plays the target.

  Li, Yang, Song, Hospedales: *Learning to Generalize: Meta-Learning for Domain Generalization*,
  AAAI 2018, algorithm 1. Each step draws one source to test on, with risk G; F is the mean risk of
  all others, at weights w:

    F(w) + weight G(w - inner_rate dF/dw)

  The gradient is exact: it passes through the inner step, by its second derivatives. F and G are
  risks of the whole batch, and of two passes through the network; running batch statistics are
  those of F. Weights that a transfer strategy never moves stay in the inner step too.

  Attributes:
    weight: Of the risk on the source that is held out (the paper's beta; 1 in the authors' script,
      a small network on fixed features of PACS).
    inner_rate: The learning rate of the inner step (the paper's alpha; 0.5 in that script).
  """

  weight: Annotated[float, LogUniform(0.1, 10.0)] = 1.0
  inner_rate: float = 0.01

  def check(self, batch_size: int) -> None:
    """Refuses a single source, a negative weight, and an inner step uphill."""
    super().check(batch_size)
    needs.at_least(self, 0, 'weight', 'inner_rate')

  def gradients(
    self, objective: Objective, params: Params, batch: Batch
  ) -> tuple[Params, tuple[Terms, States]]:
    """Returns the gradient of the risks before and after the inner step, and both as terms."""
    order = order_of(objective, params, batch)
    held, seen = pick(batch, order[:1]), pick(batch, order[1:])
    slope = lambda params: jax.grad(objective, has_aux=True)(params, seen)
    inner, push, (terms, states) = jax.linearize(slope, params, has_aux=True)
    there = moved(params, axis.mean(inner), self.inner_rate)
    (after, _), outer = jax.value_and_grad(objective, has_aux=True)(there, held)
    # d G(w - a F'(w)) / dw = (I - a F''(w)) G', forward over reverse: faster than reverse twice.
    through = moved(outer, push(axis.mean(outer)), self.inner_rate)
    grads = jax.tree.map(lambda f, g: f + self.weight * g, inner, through)
    return grads, ({**terms, 'held_out': self.weight * after}, states)
