"""Stochastic weight averaging, densely and aware of overfitting (Cha et al., 2021)."""

from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from tlda import axis
from tlda.methods import needs
from tlda.methods.averaged import Taught
from tlda.methods.batch import Batch, Context
from tlda.methods.method import States, Terms, Variables

# One example in so many is held out (the paper's fifth).
FOLDS = 5


class SWAD(Taught):
  """Predicts by the mean of all weights from when the validation loss settles until it rises.

  Cha, Chun, Lee, Cho, Park, Lee, Park: *SWAD: Domain Generalization by Seeking Flat Minima*,
  NeurIPS 2021, algorithm 1. Training minimises the mean risk of the sources. With the validation
  loss E_i of the i-th interval of steps, the mean goes over all weights

    from interval s, the first with  E_s = min(E_s, ..., E_(s + converged - 1)),
    to interval t, the first with  l < min(E_(t + 1), ..., E_(t + overfit)),
    l = tolerance mean(E_s, ..., E_(s + converged - 1)).

  Before s is confirmed, the latest weights predict; the intervals that confirm it are always in the
  mean. At the end of training a rise above l that has not ended is left out, as in the authors'
  code. A single source will do.

  Departs from the paper: one example in five of each source, by its row, has no part in the risk,
  and E_i is the mean loss of those that came in batches of interval i, in passes as in training (in
  the paper, of a validation split at the end of the interval). The mean takes running statistics of
  batch normalisation as well (frozen in the paper).

  Attributes:
    interval: Steps between two looks at the loss (the paper's 50 to 500 of 5,000 to 15,000).
    converged: Intervals in which no loss is below the first's (the paper's 3).
    overfit: Intervals in which all losses are too high (the paper's 6).
    tolerance: What is too high, as a multiple of the loss at the start (the paper's 1.3; 1.2 for
      its data set VLCS).
  """

  reads: ClassVar[frozenset[str]] = frozenset({'source'})

  interval: int = 100
  converged: int = 3
  overfit: int = 6
  tolerance: float = 1.3

  def check(self, batch_size: int) -> None:
    """Refuses intervals of no steps, and windows of no interval."""
    del batch_size
    needs.at_least(self, 1, 'interval', 'converged', 'overfit')
    needs.above(self, 0, 'tolerance')

  def initial_states(self, variables: Variables) -> States:
    """Returns a mean of the first weights alone, and a window that has not begun.

    Besides 'teacher', 'segment' and 'window' hold the means over the weights of this interval, and
    of all since the window's start, or since what may turn out to be it; 'losses' is scalars.
    """
    network = dict(variables)
    losses = {
      'steps': 0,  # Of this interval.
      'count': 0,  # Of held-out examples in it, and the sum of their losses.
      'sum': 0,
      'first': jnp.inf,  # The loss at the window's start.
      'intervals': 0,  # Since then, and the sum of their losses.
      'total': 0,
      'limit': -1,  # l, once the start is confirmed.
      'high': 0,  # How many losses in a row were above it.
    }
    scalars = {name: jnp.float32(value) for name, value in losses.items()}
    return {'teacher': network, 'segment': network, 'window': network, 'losses': scalars}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the mean risk of what is not held out; watches the loss of what is."""
    del context
    (outputs,), examples = self.outputs(batch), batch.source.flat()
    loss = self.task.loss(outputs.logits, examples.labels)
    held = (examples.index % FOLDS == 0).astype(loss.dtype)
    count, total = axis.sum(held.sum()), axis.sum((held * jax.lax.stop_gradient(loss)).sum())
    known = self.variables['losses']
    self.put_variable('losses', 'count', known['count'] + count)
    self.put_variable('losses', 'sum', known['sum'] + total)
    learned = jnp.maximum(axis.mean((1 - held).mean()), 1 / (len(loss) * axis.size()))
    return {
      'task': ((1 - held) * loss).mean() / learned,
      'monitor/held_out': total / jnp.maximum(count, 1),
    }

  def after_update(self, variables: Mapping[str, Any], context: Context) -> States:
    """Takes the new weights into the means; at the end of an interval looks at its loss."""
    del context
    before, known = variables['teacher'], variables['losses']
    network = {name: variables[name] for name in before}
    losses = {**known, 'steps': known['steps'] + 1}
    now = {
      'teacher': _either(known['limit'] >= 0, before, network),
      'segment': _towards(variables['segment'], network, 1 / losses['steps']),
      'window': variables['window'],
      'losses': losses,
    }
    ends = (losses['steps'] >= self.interval) & (losses['count'] > 0)
    return _either(ends, {**now, **self._looked(**now)}, now)

  def _looked(self, teacher: Any, segment: Any, window: Any, losses: Any) -> States:
    """Returns the collections that change when an interval is over."""
    loss, begun = losses['sum'] / jnp.maximum(losses['count'], 1), losses['limit'] >= 0
    lower = ~begun & (loss < losses['first'])
    intervals = jnp.where(lower, 1, losses['intervals'] + 1)
    total = jnp.where(lower, loss, losses['total'] + loss)
    window = _either(lower, segment, _towards(window, segment, 1 / intervals))
    begins = ~begun & (intervals >= self.converged)
    limit = jnp.where(begins, self.tolerance * total / intervals, losses['limit'])
    over, rises = losses['high'] >= self.overfit, begun & (loss > limit)
    # What rose and fell again is taken in as a whole.
    taken = begins | (begun & ~rises & ~over)
    return {
      'teacher': _either(taken, window, teacher),
      'window': window,
      'losses': {
        **dict.fromkeys(('steps', 'count', 'sum'), jnp.float32(0)),
        'first': jnp.where(lower, loss, losses['first']),
        'intervals': intervals,
        'total': total,
        'limit': limit,
        'high': jnp.where(over, losses['high'], jnp.where(rises, losses['high'] + 1, 0)),
      },
    }


def _towards(old: Any, new: Any, share: jax.Array) -> Any:
  """Returns `old + share (new - old)`, leaf by leaf."""
  return jax.tree.map(lambda a, b: a + share * (b - a), old, new)


def _either(condition: jax.Array, one: Any, other: Any) -> Any:
  """Returns one tree or the other."""
  return jax.tree.map(lambda a, b: jnp.where(condition, a, b), one, other)
