"""Wasserstein distance guided representation learning (Shen et al., 2018)."""

from typing import Annotated

import jax
import jax.numpy as jnp

from tlda import losses
from tlda.methods import needs
from tlda.methods.alternating import Alternating
from tlda.methods.batch import Batch, Context
from tlda.methods.method import Outputs, Phase, Terms
from tlda.ranges import LogUniform


class WDGRL(Alternating):
  """Draws the domains' features together by the Wasserstein distance that a critic measures.

  Shen, Qu, Zhang, Yu: *Wasserstein Distance Guided Representation Learning for Domain Adaptation*,
  AAAI 2018. With the critic f,

    min_network L_task + weight max_f [W - penalty P],  W = E_source f(h) - E_target f(h)

  where `P = E (|df/dh| - 1)^2` is taken at the features h of both domains and at random points on
  the lines between pairs of them. In each step the critic moves `critic_steps` times, then the
  network once, by W without P.

  Source and target are paired row by row; of several sources, each is paired with the same target.
  The critic has no dropout, whatever its domain classifier's: it is a function with a slope.

  Attributes:
    domain_classifier: The critic; its logit is f, not a probability.
    weight: Of the distance (1 on Amazon reviews and 0.01 on digits in the authors' code).
    penalty: Of the critic's slopes (the paper's gamma, 10).
    critic_steps: Moves of the critic in each step (the paper's n; 5 in the authors' code).
  """

  weight: Annotated[float, LogUniform(0.01, 1.0)] = 0.1
  penalty: float = 10.0
  critic_steps: int = 5

  def check(self, batch_size: int) -> None:
    """Refuses a critic that never moves, and a reward for its slopes."""
    del batch_size
    needs.at_least(self, 1, 'critic_steps')
    needs.at_least(self, 0, 'penalty')

  def phases(self) -> tuple[Phase, ...]:
    """Returns the critic's moves, then the network's."""
    critic, network = super().phases()
    return (
      Phase('critic', 'critic_objective', critic.trains, self.critic_steps, keeps_statistics=False),
      network,
    )

  def domain_logits(self, outputs: Outputs) -> jax.Array:
    """Returns `[batch]`, the critic's values of features."""
    return self.domain_classifier(outputs.features)

  def distance(self, source: Outputs, target: Outputs) -> jax.Array:
    """Returns W, a scalar: how much higher the critic values the source."""
    return self.domain_logits(source).mean() - self.domain_logits(target).mean()

  def critic_objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the critic's terms: the negative distance, and the penalty of its slopes."""
    source, target = self.outputs(batch)
    distance = self.distance(source, target)
    keys = context.keys('interpolation', batch.source.flat())
    share = jax.vmap(jax.random.uniform)(keys)[:, None]
    pairs = jnp.resize(target.features, source.features.shape)
    between = share * source.features + (1 - share) * pairs
    points = jnp.concatenate([source.features, target.features, between])
    critic = self.pure(lambda method, h: method.domain_classifier(h))
    # Of a sum: each example's own gradient.
    slopes = jax.grad(lambda h: critic(h).sum())(points)
    penalty = losses.gradient_penalty(slopes).mean()
    return {'distance': -distance, 'penalty': self.penalty * penalty}

  def objective(self, batch: Batch, context: Context) -> Terms:
    """Returns the network's terms: task loss of the source, and the distance."""
    del context
    source, target = self.outputs(batch)
    return {
      'task': self.task_loss(source, batch.source),
      'distance': self.weight * self.distance(source, target),
    }
